"""What is seen of an artifact's content: the beginning, in words, whatever the file holds."""

from __future__ import annotations

import json
import os
import pickle
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.local import LocalFileSystem
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kfnb.artifacts import binary
from kfnb.artifacts.preview import HEAD, preview
from kfnb.capture.embedded import values
from kfnb.capture.embedded.values import kfnb_save
from kfnb.capture.values import kind_of
from kfnb.entities import Artifact, Preview

np = pytest.importorskip("numpy")
pd = pytest.importorskip("pandas")
pa = pytest.importorskip("pyarrow")
feather = pytest.importorskip("pyarrow.feather")
parquet = pytest.importorskip("pyarrow.parquet")


def seen(path: Path | str, type: str = "system.Dataset", **metadata: Any) -> Preview:
    return preview(Artifact("data", type, str(path), metadata))


def facts(found: Preview) -> dict[str, str]:
    return dict(found.facts)


@pytest.fixture
def frame() -> Any:
    return pd.DataFrame(
        {"name": [f"customer {n}" for n in range(40)], "age": range(40), "part": np.arange(40) / 3}
    )


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    """Write a file, and give back its path."""

    def write(content: bytes | str, name: str = "data") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
def read_bytes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes each reading took from local files."""
    taken: list[int] = []
    plain_open = LocalFileSystem.open

    def counting(self: LocalFileSystem, *args: Any, **kwargs: Any) -> Any:
        opened = plain_open(self, *args, **kwargs)
        plain_read = opened.f.read

        class Counted:
            def read(self, size: int = -1) -> bytes:
                taken.append(len(data := plain_read(size)))
                return data

            def __getattr__(self, name: str) -> Any:
                return getattr(raw, name)

        raw, opened.f = opened.f, Counted()
        opened.read = opened.f.read
        return opened

    monkeypatch.setattr(LocalFileSystem, "open", counting)
    return taken


# -- tables ---------------------------------------------------------------------------------------------------


def test_of_a_parquet_file_the_first_rows_are_seen_and_the_shape_of_all(tmp_path, frame):
    frame.to_parquet(tmp_path / "data")
    found = seen(tmp_path / "data")
    assert found.columns == ("name", "age", "part")
    assert found.rows[1] == ("customer 1", "1", "0.333333")
    assert len(found.rows) == binary.MOST_ROWS
    assert found.more
    assert facts(found) == {"format": "parquet", "shape": "40 x 3"}
    assert found.size == (tmp_path / "data").stat().st_size


def test_a_short_table_is_seen_in_full(tmp_path, frame):
    frame[:3].to_parquet(tmp_path / "data.parquet")
    found = seen(tmp_path / "data.parquet")
    assert len(found.rows) == 3
    assert not found.more


def test_of_a_wide_table_the_first_columns_are_seen_and_the_others_counted(tmp_path):
    pd.DataFrame(np.zeros((2, 31)), columns=[f"c{n}" for n in range(31)]).to_parquet(tmp_path / "data")
    found = seen(tmp_path / "data")
    assert (len(found.columns), found.hidden) == (binary.MOST_COLUMNS, 19)
    assert {len(row) for row in found.rows} == {binary.MOST_COLUMNS}


def test_a_table_without_rows_has_its_columns(tmp_path, frame):
    frame[:0].to_parquet(tmp_path / "p")
    feather.write_feather(frame[:0], tmp_path / "f")
    for name in "pf":
        found = seen(tmp_path / name)
        assert found.columns == ("name", "age", "part")
        assert (found.rows, found.more, found.note) == ((), False, "")


def test_values_of_all_types_are_said_in_a_few_words(tmp_path):
    moment = pa.array([1_700_000_000_000_000_001], pa.timestamp("ns"))
    columns = {
        "list": pa.array([list(range(1000))]),
        "struct": pa.array([{"a": {"b": 1}}]),
        "bytes": pa.array([b"\x00" * 1000]),
        "long": pa.array(["word " * 1000]),
        "none": pa.array([None], pa.int64()),
        "flag": pa.array([True]),
        "moment": moment,
        "lines": pa.array(["two\nlines"]),
    }
    parquet.write_table(pa.table(columns), tmp_path / "data")
    (row,) = seen(tmp_path / "data").rows
    assert max(map(len, row)) <= binary.LONGEST_WORD
    assert row[0].startswith("[0, 1, 2")
    assert row[1] == "{'a': {'b': 1}}"
    assert row[3].endswith("…")
    assert row[4:6] == ("None", "True")
    assert row[6].startswith("2023-11-14 22:13:20")
    assert row[7] == "two lines"


@pytest.mark.parametrize("compression", ["uncompressed", "lz4"])
def test_of_a_feather_file_the_first_rows_are_seen(tmp_path, frame, compression):
    feather.write_feather(frame, tmp_path / "data.feather", compression=compression)
    found = seen(tmp_path / "data.feather")
    assert found.rows[2] == ("customer 2", "2", "0.666667")
    assert facts(found) == {"format": "arrow", "shape": "40 x 3"}


def test_of_a_feather_file_of_many_batches_the_first_is_read(tmp_path, frame):
    feather.write_feather(frame, tmp_path / "data", chunksize=15)
    found = seen(tmp_path / "data")
    assert len(found.rows) == binary.MOST_ROWS
    assert found.more


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("data.csv", "a,b\n1,x\n2,\n"),
        ("data", "a,b\n1,x\n2,\n"),
        ("data", "a;b\r\n1;x\r\n2;\r\n"),
        ("data.tsv", "a\tb\n1\tx\n2\n"),
        ("data.csv", "\ufeffa|b\n\n1|x\n2|\n"),
        ("data.json", '[{"a": 1, "b": "x"}, {"a": 2}]'),
        ("data", '[\n{"a": 1, "b": "x"},\n {"a": 2}]'),
        ("data.jsonl", '{"a": 1, "b": "x"}\n{"a": 2}\n'),
        ("data", '{"a": 1, "b": "x"}\n\n{"a": 2}'),
    ],
)
def test_a_table_in_text_is_a_table(file, name, text):
    found = seen(file(text, name))
    assert found.columns == ("a", "b")
    assert found.rows == (("1", "x"), ("2", ""))
    assert not found.more
    assert facts(found)["shape"] == "2 x 2"
    assert facts(found)["format"] in ("csv", "tsv", "json", "jsonl")


def test_a_csv_file_in_another_encoding_is_a_table_all_the_same(file):
    assert seen(file("id,stra\xdfe\n1,x\n".encode("latin-1"), "data.csv")).columns == (
        "id",
        "stra\N{REPLACEMENT CHARACTER}e",
    )


def test_a_csv_file_of_one_column_needs_its_name(file):
    assert seen(file("age\n1\n2\n", "data.csv")).rows == (("1",), ("2",))
    assert seen(file("age\n1\n2\n")).text == "age\n1\n2\n"


def test_of_a_huge_csv_file_only_the_beginning_is_read(tmp_path, read_bytes):
    with (tmp_path / "data.csv").open("w") as out:
        out.write("n,word\n")
        for block in range(50):
            out.writelines(f"{n},word {n}\n" for n in range(block * 20_000, block * 20_000 + 20_000))
    found = seen(tmp_path / "data.csv")
    assert found.rows[9] == ("9", "word 9")
    assert found.more
    assert "shape" not in facts(found)
    assert found.size > 15_000_000
    assert 0 < sum(read_bytes) <= HEAD


def test_of_a_huge_parquet_file_only_some_pages_are_read(tmp_path, read_bytes):
    rows = 300_000
    parquet.write_table(
        pa.table({f"c{n}": np.random.default_rng(n).random(rows) for n in range(20)}), tmp_path / "p"
    )
    found = seen(tmp_path / "p")
    assert len(found.rows) == binary.MOST_ROWS
    assert len(found.columns) + found.hidden == 20
    assert 0 < sum(read_bytes) <= HEAD + binary.ALLOWANCE
    assert found.size > 2 * sum(read_bytes)


def test_of_a_table_whose_rows_are_too_large_the_columns_are_seen(tmp_path, monkeypatch):
    table = pa.table({"small": [1, 2], "large": [os.urandom(300_000)] * 2, "last": [1, 2]})
    parquet.write_table(table, tmp_path / "p")
    parquet.write_table(table.select(["large", "last"]), tmp_path / "q")
    feather.write_feather(table, tmp_path / "f", compression="uncompressed")
    monkeypatch.setattr(binary, "ALLOWANCE", 200_000)
    found = seen(tmp_path / "p")
    assert (found.columns, found.rows, found.hidden) == (("small",), (("1",), ("2",)), 2)
    assert seen(tmp_path / "f").columns == ("small", "large", "last")
    assert seen(tmp_path / "q").columns == ("large", "last")
    for name in "fq":
        assert "too large" in seen(tmp_path / name).note


# -- arrays ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["C", "F"])
def test_of_a_matrix_the_first_rows_are_seen(tmp_path, order):
    np.save(tmp_path / "x.npy", np.asarray(np.arange(400, dtype="f4").reshape(20, 20), order=order))
    found = seen(tmp_path / "x.npy")
    assert found.columns[:2] == ("0", "1")
    assert found.rows[1][:2] == ("20", "21")
    assert (len(found.rows), len(found.columns), found.hidden, found.more) == (10, 12, 8, True)
    assert facts(found) == {"format": "npy", "dtype": "float32", "shape": "20 x 20"}


@pytest.mark.parametrize(
    ("array", "rows"),
    [
        (np.array([1.5, 2.5]), (("1.5",), ("2.5",))),
        (np.array(["a", "b"]), (("a",), ("b",))),
        (np.array(["2026-11-24"], "M8[ns]"), (("2026-11-24T00:00:00.000000000",),)),
        (np.array([(1, 2.5)], [("a", "i4"), ("b", "f8")]), (("1", "2.5"),)),
    ],
)
def test_of_a_vector_the_first_values_are_seen(tmp_path, array, rows):
    np.save(tmp_path / "x", array)
    assert seen(tmp_path / "x.npy").rows == rows


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.array(7), "7"),
        (np.arange(3000).reshape(10, 100, 3), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, …"),
        (np.zeros((0, 3)), ""),
    ],
)
def test_what_is_no_table_has_its_first_values_in_a_line(tmp_path, array, text):
    np.save(tmp_path / "x", array)
    assert seen(tmp_path / "x.npy").text == text


def test_a_huge_array_is_read_at_its_beginning(tmp_path, read_bytes):
    np.save(tmp_path / "c", np.zeros((10_000, 100)))
    np.save(tmp_path / "f", np.zeros((10_000, 100), order="F"))
    np.save(tmp_path / "row", np.zeros((1, 1_000_000)))
    assert len(seen(tmp_path / "c.npy").rows) == 10
    assert "stored by columns" in seen(tmp_path / "f.npy").note
    assert seen(tmp_path / "row.npy").text.endswith(", …")
    assert sum(read_bytes) <= 3 * HEAD


# -- what could act -------------------------------------------------------------------------------------------


class Acting:
    """Leaves a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize(
    "name", ["model", "model.pkl", "model.joblib", "model.npy", "model.csv", "model.parquet"]
)
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_pickle_is_never_opened(tmp_path, file, name, protocol):
    acted = tmp_path / "acted"
    content = pickle.dumps(Acting(acted), protocol)
    found = seen(file(content, name), "system.Model", format="cloudpickle")
    assert not acted.exists()
    assert found.size == len(content)
    assert facts(found)["format"] == "cloudpickle"
    assert "not shown" in found.note
    pickle.loads(content)
    assert acted.exists()


def test_objects_in_an_array_are_not_unpickled(tmp_path):
    np.save(tmp_path / "x.npy", np.array([Acting(tmp_path / "acted")], dtype=object), allow_pickle=True)
    found = seen(tmp_path / "x.npy")
    assert "not shown" in found.note
    assert not (tmp_path / "acted").exists()


def test_a_pickle_that_is_text_is_text(file):
    assert seen(file(pickle.dumps({"a": 1}, 0), "data")).text


# -- models, folders, texts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": [1, None]}, {"format": "json", "class": "dict"}),
        (np.eye(2), {"format": "npy", "class": "numpy ndarray", "shape": "2 x 2", "dtype": "float64"}),
        (
            pd.DataFrame({"a": [1]}, index=["x"]),
            {"format": "parquet", "class": "pandas DataFrame", "shape": "1 x 1"},
        ),
        (pd.Series([1, 2]), {"format": "series-parquet", "class": "pandas Series", "shape": "2"}),
        ({1, 2}, {"format": "cloudpickle", "class": "set"}),
    ],
)
def test_what_a_step_saved_is_seen_as_what_it_was(tmp_path, value, expected):
    artifact = Artifact("value", "system.Artifact", str(tmp_path / "value"), {})
    written = type("Written", (), {"path": artifact.uri, "metadata": artifact.metadata})
    writer = kind_of(value).writer or "kfnb_write_json"
    kfnb_save(value, written, {}, getattr(values, writer))
    assert facts(preview(artifact)) == expected


def test_a_model_has_its_format_its_class_and_its_size(file):
    model = seen(
        file(b"PK\x03\x04...", "model"),
        "system.Model",
        format="skops",
        python_type="sklearn.svm._classes.SVC",
    )
    assert facts(model) == {"format": "skops", "class": "sklearn SVC"}
    assert model.size == 7
    assert facts(seen(file(b"\x08\x07\x12", "net.onnx"), "system.Model", framework="torch")) == {
        "format": "onnx",
        "framework": "torch",
    }


def test_the_file_is_believed_where_its_name_says_something_else(tmp_path, file, frame):
    frame.to_parquet(tmp_path / "data.csv")
    assert facts(seen(tmp_path / "data.csv"))["format"] == "parquet"
    assert facts(seen(file(b"\x80\x04.", "data.parquet")))["format"] == "pickle"


def test_a_folder_has_its_files_and_their_sizes(tmp_path):
    (tmp_path / "model" / "weights").mkdir(parents=True)
    (tmp_path / "model" / "config.json").write_text("{}")
    (tmp_path / "model" / "weights" / "0.bin").write_bytes(b"1234")
    found = seen(tmp_path / "model", "system.Model", framework="keras")
    assert found.files == (("config.json", 2), ("weights/0.bin", 4))
    assert (found.size, found.more) == (6, False)
    assert facts(found) == {"files": "2 files", "framework": "keras"}


def test_of_a_large_folder_the_first_files_are_seen_and_no_more_than_a_thousand_counted(tmp_path):
    for number in range(1010):
        (tmp_path / f"{number:04}").touch()
    found = seen(tmp_path)
    assert found.files[-1] == ("0019", 0)
    assert (found.size, found.more, facts(found)["files"]) == (None, True, "more than 1000 files")


def test_a_folder_in_which_it_lies_itself_comes_to_an_end(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "file").touch()
    assert ("file", 0) in seen(tmp_path).files


def test_a_text_has_its_beginning(file):
    assert seen(file("Dear all,\nthere are, as ever, two lines.\n", "t")).text.startswith("Dear all,\nthere")
    long = seen(file("grün, " * 100_000, "notes.md"))
    assert (len(long.text), long.more) == (2000, True)
    assert facts(long)["format"] == "md"


def test_json_that_is_no_table_is_written_line_by_line(file):
    assert seen(file('{"a":{"b":[1,2]}}')).text == json.dumps({"a": {"b": [1, 2]}}, indent=2)
    assert seen(file("[" * 100_000, "data.json")).text.startswith("[[[[")


def test_what_is_neither_has_its_size(file):
    found = seen(file(b"\x89PNG\r\n\x1a\n" + bytes(100), "picture"))
    assert (found.size, facts(found), found.note, found.text) == (108, {"format": "png"}, "", "")
    assert seen(file(b"a\x00b" * 10)).size == 30


# -- where there is nothing to see ----------------------------------------------------------------------------


def test_a_file_that_is_gone_is_said_to_be(tmp_path):
    found = seen(tmp_path / "gone", format="parquet", shape="2 x 2")
    assert found.note == f"file not found: {tmp_path / 'gone'}"
    assert facts(found) == {"format": "parquet", "shape": "2 x 2"}


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert "not a regular file" in seen(tmp_path / "pipe").note


def test_a_place_without_a_reader_is_said_to_have_none():
    assert "Protocol not known" in seen("nowhere://bucket/data").note
    assert seen("").note == "no file"


def test_a_library_that_is_not_there_is_named(tmp_path, frame, monkeypatch):
    frame.to_parquet(tmp_path / "data")
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    found = seen(tmp_path / "data")
    assert found.note == "no preview: install pyarrow.parquet"
    assert found.size
    assert facts(found) == {"format": "parquet"}


@pytest.mark.parametrize(
    "start", [b"PAR1", b"ARROW1\x00\x00", b"\x93NUMPY", b"\x93NUMPY\x01\x00\xff\xff{", b""]
)
def test_a_broken_file_is_said_to_be_unreadable(file, start):
    found = seen(file(start + b"\x00\xff" * (100 if start else 0)))
    assert found.note
    assert found.rows == ()
    assert "\n" not in found.note


@pytest.fixture
def bucket() -> Iterator[Any]:
    """A file system that is none of this machine's disks."""
    filesystem = fsspec.filesystem("memory")
    yield filesystem
    filesystem.store.clear()
    filesystem.pseudo_dirs[:] = [""]


def test_artifacts_are_seen_wherever_fsspec_reads(bucket, frame):
    bucket.pipe("/bucket/run/data", frame.to_parquet())
    bucket.pipe("/bucket/run/data.csv", b"a,b\n1,2\n")
    assert seen("memory://bucket/run/data").rows[0] == ("customer 0", "0", "0")
    assert seen("memory://bucket/run/data.csv").rows == (("1", "2"),)
    assert [name for name, _ in seen("memory://bucket/run").files] == ["data", "data.csv"]
    assert "not found" in seen("memory://bucket/other").note


starts = st.sampled_from(
    [b"", b"PAR1", b"ARROW1\x00\x00", b"\x93NUMPY\x01\x00", b"\x80\x04", b"PK\x03\x04", b"{", b"a,b\n"]
)
names = st.sampled_from(["data", "x.csv", "x.json", "x.npy", "x.tsv", "x.jsonl", "x.parquet"])


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    starts,
    st.binary(max_size=200),
    names,
    st.dictionaries(st.sampled_from(["format", "shape", "python_type"]), st.text() | st.none()),
)
def test_whatever_a_file_holds_there_is_a_preview(tmp_path, start, rest, name, metadata):
    (tmp_path / name).write_bytes(start + rest)
    found = preview(Artifact("data", "system.Dataset", str(tmp_path / name), metadata))
    assert all(len(row) == len(found.columns) for row in found.rows)
    assert max((len(cell) for row in found.rows for cell in row), default=0) <= binary.LONGEST_WORD
