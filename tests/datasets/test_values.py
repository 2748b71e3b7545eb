"""Values as versions: what comes back is what was added, or nothing is added."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from kfnb import settings
from kfnb.errors import BackendError, UsageError
from kfnb.resources.datasets.files import contents_of, files_of
from kfnb.resources.datasets.handle import DatasetVersion
from kfnb.resources.datasets.objects import content_key
from kfnb.resources.datasets.store import DataStore
from kfnb.resources.datasets.values import read, write
from kfnb.resources.datasets.version_writer import VersionWriter

By = dict[str, Any]
FRAME = pd.DataFrame(
    {
        "number": [1, 2, 3],
        "share": [1.5, None, 2.0],
        "text": ["a", None, "c"],
        "time": pd.to_datetime(["2020-01-01", None, "2020-01-03"]),
        "flag": [True, False, True],
        "kind": pd.Categorical(["u", "v", "u"], categories=["w", "v", "u"]),
        "list": [[1], None, [2, 3]],
    }
)
NOON = datetime(2020, 1, 1, 12)  # noqa: DTZ001 - without a zone
EAST = timezone(timedelta(hours=5))


def objects(*cells: Any) -> pd.DataFrame:
    return pd.DataFrame({"a": pd.Series(list(cells), dtype=object)})


VALUES: dict[str, Any] = {
    "a frame": FRAME.drop(columns="list"),
    "a frame with an index": FRAME.drop(columns="list").set_index(["number", "text"]),
    "a frame with times as index": FRAME[["number"]].set_index(pd.date_range("2020", periods=3, name="day")),
    "a frame with numbers as names": pd.DataFrame({0: [1.0], 1: [2.0]}),
    "a frame with names of two levels": pd.DataFrame({("a", "b"): [1], ("a", "c"): [2]}),
    "a frame with nullable types": pd.DataFrame({"x": [1, None]}, dtype="Int64"),
    "a frame with periods": pd.DataFrame({"p": pd.period_range("2020", periods=3, freq="M")}),
    "a frame without rows": FRAME.drop(columns="list").iloc[:0],
    "a frame without columns": pd.DataFrame(),
    "dates": objects(date(2020, 1, 1), None),
    "times of a day": objects(time(1), None),
    "bytes": objects(b"x", None),
    "decimals": objects(Decimal("1.50"), Decimal("2.25")),
    "truth values, some missing": objects(True, None),
    "arrays in cells": objects(np.array([1.5, np.nan]), np.array([3.0])),
    "dicts in cells": objects({"a": 1}, {"a": 2}),
    "a time zone": pd.DataFrame({"t": pd.to_datetime(["2020"]).tz_localize("Europe/Rome")}),
    "names of columns in a range": pd.DataFrame(np.zeros((2, 2))),
    "a series": pd.Series([1, 2, None], name="x"),
    "a series without a name": pd.Series(["a", None]),
    "polars": pl.DataFrame({"x": [1, None], "s": ["a", None], "l": [[1], [2, 3]]}),
    "polars' own categories": pl.DataFrame({"c": pl.Series(["x", "y"], dtype=pl.Enum(["y", "x"]))}),
    "a series of polars": pl.Series("x", [1, 2]),
    "an arrow table": pa.table({"x": [1, None], "d": [{"a": 1}, {"a": None}]}),
    "an array": np.arange(6, dtype="float32").reshape(2, 3),
    "an array without shape": np.array(5),
    "an array of structures": np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
    "an array of texts": np.array(["a", "bc"]),
    "an array of times": np.array(["2020-01-01"], dtype="datetime64[D]"),
}


def same(one: Any, two: Any) -> None:
    assert type(one) is type(two)
    if isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, two, check_freq=False)
    elif isinstance(one, pd.Series):
        pd.testing.assert_series_equal(one, two)
    elif isinstance(one, np.ndarray):
        assert one.dtype == two.dtype
        np.testing.assert_array_equal(one, two)
    else:
        assert one.equals(two)
        assert getattr(one, "schema", None) == getattr(two, "schema", None)


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())
def test_a_value_comes_back_as_it_was(value: Any, tmp_path: Path) -> None:
    written = write(value, tmp_path, "value")
    same(read(written.kind, written.library, list(written.files.items())), value)


def test_a_dict_of_values_comes_back_as_it_was(tmp_path: Path) -> None:
    value = {"train/x": FRAME[["number"]], "y": np.arange(3), "z": pl.DataFrame({"a": [1]})}
    written = write(value, tmp_path, "value")
    again = read(written.kind, written.library, list(written.files.items()))
    assert set(again) == set(value)
    for name, one in value.items():
        same(again[name], one)
    (tmp_path / "other").mkdir()
    other = write(dict(reversed(value.items())), tmp_path / "other", "value")
    assert other.logical == written.logical


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (pd.DataFrame({"a": [1, "x"]}), r"column 'a' of df holds values of several types \(int, str\)"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "df has two columns called 'a': rename one"),
        (
            pd.DataFrame({"a": pd.Series([1, None, 3], dtype=object)}),
            r"column 'a' of df \(object\) would come back",
        ),
        (pd.DataFrame({"a": [1 + 2j]}), "values of type complex, which a table cannot hold"),
        (pl.LazyFrame({"a": [1]}), r"df is a query that has not run: add df.collect\(\)"),
        (np.array([object()]), "df is an array of Python objects"),
        ([1, 2], "df is of type list, which cannot be added as data"),
        (open, "which cannot be added as data"),
        ({}, "df is an empty dict"),
        ({1: FRAME}, "a dict of data needs texts as keys; df has the key 1"),
        ({"a": 1}, r"df\['a'\] is of type int"),
        ({"k" * 300: FRAME}, r"the key k+\.\.\. of df is too long: use at most 200 letters"),
        (
            pd.DataFrame([[1, 2]], columns=[1, "a"]),
            r"the names of the columns of df are of several types \(int, str\)",
        ),
        (
            pd.DataFrame([[1]], columns=pd.CategoricalIndex(["a"])),
            "the names of the columns of df are categories",
        ),
        (pd.DataFrame({"a": pd.arrays.SparseArray([0, 1])}), "column 'a' of df is sparse"),
        (pl.DataFrame({"a": pl.Series([1], dtype=pl.Int128)}), "df has a column whose type cannot be kept"),
        (objects(2**70), "values of type int of more than 64 bits"),
        (
            objects(date(2020, 1, 1), NOON),
            r"holds datetime.*, which would come back as datetime\.date\(2020, 1, 1\)",
        ),
        (
            objects(NOON.replace(tzinfo=EAST), NOON.replace(tzinfo=timezone.utc)),
            "would come back as datetime64",
        ),
        (objects(NOON, NOON.replace(tzinfo=EAST)), "would come back as datetime64"),
        (objects(time(1), time(1, tzinfo=EAST)), r"would come back as datetime\.time\(1, 0\)"),
        (objects(b"x", "x"), r"holds 'x' \(str\), which would come back as b'x' \(bytes\)"),
        (objects(Decimal("NaN"), Decimal("1.5")), "would come back as None"),
        (
            objects(Decimal("1.50"), Decimal("1.5")),
            r"holds Decimal\('1.5'\).*would come back as Decimal\('1.50'\)",
        ),
        (objects({1}), r"holds \{1\} \(set\), which would come back as array"),
        (objects((1,)), r"\(tuple\), which would come back as array"),
        (objects([1]), r"\(list\), which would come back as array"),
        (objects({"a": 1}, {"b": 2}), "would come back as {'a': 1.0, 'b': None}"),
        (objects(1, 2), r"column 'a' of df \(object\) would come back as int64"),
        (
            pd.DataFrame({"x": [1]}, index=pd.Index([1], dtype=object)),
            "the index of df .* would come back as int64",
        ),
        (pd.Series([b"x", "x"], name="s"), "column 's' of df holds 'x'"),
    ],
)
def test_what_would_come_back_as_another_value_is_refused(value: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=message):
        write(value, tmp_path, "df")
    assert list(tmp_path.iterdir()) == []


def test_many_columns_are_kept(tmp_path: Path) -> None:
    wide = pd.DataFrame(np.zeros((2, 10_000)), columns=[f"c{number}" for number in range(10_000)])
    written = write(wide, tmp_path, "wide")
    assert len(written.columns) == 10_000


def test_texts_are_the_same_whatever_holds_them(tmp_path: Path) -> None:
    kinds = [object, "str"]
    frames = [pd.DataFrame({"a": pd.Series(["x", None], dtype=kind)}) for kind in kinds]
    written = []
    for number, frame in enumerate(frames):
        (tmp_path / str(number)).mkdir()
        written.append(write(frame, tmp_path / str(number), "df").logical)
    assert written[0] == written[1]


# -- the same frame from a file -------------------------------------------------------------------------------------


def test_a_frame_and_the_file_that_holds_it_are_one_version(
    adding: VersionWriter, store: DataStore, tmp_path: Path, by: By
) -> None:
    frame = FRAME.drop(columns="list")
    frame.to_parquet(tmp_path / "f.parquet", compression="gzip")
    adding.value("data", frame, what="frame", **by)
    again, new = adding.path("data", tmp_path / "f.parquet", **by)
    assert (again.ref, new) == ("data@1", False)
    assert len(list(store.objects.entries("objects/"))) == 1
    frame.iloc[::-1].reset_index(drop=True).to_parquet(tmp_path / "f.parquet")
    assert adding.path("data", tmp_path / "f.parquet", **by)[0].ref == "data@2"


def test_an_array_and_the_file_that_holds_it_are_one_version(
    adding: VersionWriter, tmp_path: Path, by: By
) -> None:
    np.save(tmp_path / "a.npy", np.arange(5))
    adding.path("data", tmp_path / "a.npy", **by)
    assert adding.value("data", np.arange(5), what="a", **by)[1] is False


@pytest.mark.parametrize("name", ["f.parquet", "f.npy", "f.csv", "f.arrow"])
def test_a_file_that_is_not_what_its_name_says_is_kept_as_a_file(
    name: str, adding: VersionWriter, tmp_path: Path, by: By
) -> None:
    (tmp_path / name).write_bytes(b"\x00\xff nothing of this kind")
    added, _ = adding.path("data", tmp_path / name, **by)
    assert (added.kind, added.logical) == ("file", "")


def test_a_csv_has_a_schema_and_is_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("a,b\n1,x\n2,y\n")
    found = contents_of(files_of(tmp_path / "f.csv"), "file")
    assert ([(one.name, one.type) for one in found.columns], found.rows) == (
        [("a", "int64"), ("b", "string")],
        2,
    )
    assert found.logical == ""


def test_a_folder_of_parquet_files_has_what_their_footers_state(tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    pd.DataFrame({"x": [1, None], "s": ["a", "b"]}).to_parquet(folder / "1.parquet")
    pd.DataFrame({"x": [7.0, 9.0], "s": ["a", None]}).to_parquet(folder / "2.parquet")
    found = contents_of(files_of(folder), "folder")
    x, s = found.columns
    assert (found.rows, x.nulls, x.minimum, x.maximum, s.nulls) == (4, 1, 1, 9, 1)


# -- back to a disk -------------------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("KFNB_HOME", str(tmp_path / "home"))
    settings.reset()
    yield tmp_path / "home"
    settings.reset()


def test_a_folder_comes_back_as_a_path(
    adding: VersionWriter, store: DataStore, tmp_path: Path, by: By, home: Path
) -> None:
    folder = tmp_path / "pictures"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_text("a")
    (folder / "sub" / "b.txt").write_text("b")
    version = DatasetVersion(adding.path("pictures", folder, **by)[0], store)
    path = version.load()
    assert sorted(one.relative_to(path).as_posix() for one in path.rglob("*.txt")) == ["a.txt", "sub/b.txt"]
    assert not (path / "a.txt").stat().st_mode & 0o222
    version.download(tmp_path / "copy")
    (tmp_path / "copy" / "a.txt").write_text("mine")
    assert (path / "a.txt").read_text() == "a"
    with pytest.raises(UsageError, match="exists"):
        version.download(tmp_path / "copy")


def test_an_edited_copy_is_made_anew_and_an_edited_store_is_noticed(
    adding: VersionWriter, store: DataStore, tmp_path: Path, by: By, home: Path
) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("one")
    version = DatasetVersion(adding.path("notes", file, **by)[0], store)
    path = version.path()
    path.chmod(0o600)
    path.unlink()
    path.write_text("two")  # not the store's own file
    assert version.path().read_text() == "one"
    if store.objects.local("objects") is not None:
        version.path().chmod(0o600)
        version.path().write_text("three")  # the store's own file
        with pytest.raises(BackendError, match=r"notes@1: the content of notes\.txt was changed"):
            version.path()


def test_a_users_file_that_is_edited_later_changes_no_version(
    adding: VersionWriter, store: DataStore, tmp_path: Path, by: By, home: Path
) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("one")
    version = DatasetVersion(adding.path("notes", file, **by)[0], store)
    with file.open("r+") as edited:
        edited.write("two")
    assert version.load().read_text() == "one"
    assert version.load().name == "notes.txt"


def test_a_frame_is_loaded_from_any_store(
    adding: VersionWriter, store: DataStore, by: By, home: Path
) -> None:
    frame = FRAME.drop(columns="list")
    version = DatasetVersion(adding.value("data", frame, what="frame", **by)[0], store)
    same(version.load(), frame)
    assert version.schema["time"].startswith("timestamp")
    assert (version.rows, version.kind, version.owner) == (3, "frame", "ann")


def test_bytes_that_were_changed_are_not_loaded(
    adding: VersionWriter, store: DataStore, tmp_path: Path, by: By, home: Path
) -> None:
    version = DatasetVersion(adding.value("data", np.arange(5), what="a", **by)[0], store)
    key = content_key(version.snapshot().files[0].sha256)
    file = store.objects.local(key)
    if file is None:
        store.objects.store.write(store.objects._path(key), b"changed")  # type: ignore[attr-defined]
    else:
        file.chmod(0o600)
        file.write_bytes(b"changed")
    with pytest.raises(BackendError, match=r"data@1: the content of data\.npy was changed in the data store"):
        version.load()
    store.objects.delete(key)
    with pytest.raises(BackendError):
        version.load()


# -- what cannot be added -------------------------------------------------------------------------------------------


def test_paths_that_cannot_be_added_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "other").symlink_to(tmp_path / "empty")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "x").symlink_to(tmp_path / "nothing")
    for name, message in {
        "missing": "does not exist",
        "empty": "has no files",
        "linked": "is a link to a folder",
        "broken": "is a broken link",
    }.items():
        with pytest.raises(UsageError, match=message):
            files_of(tmp_path / name)


def test_a_folder_with_a_damaged_file_is_not_written_in_part(
    adding: VersionWriter, store: DataStore, tmp_path: Path, by: By, home: Path
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in "abc":
        (folder / name).write_text(name)
    record, _ = adding.path("pictures", folder, **by)
    store.objects.delete(content_key(record.files[2].sha256))
    version = DatasetVersion(record, store)
    for target in (tmp_path / "copy", tmp_path / "there"):
        (tmp_path / "there").mkdir(exist_ok=True)
        with pytest.raises(
            BackendError, match=r"pictures@1: the content of c is missing from the data store"
        ):
            version.download(target)
    assert sorted(one.name for one in tmp_path.rglob("*copy*")) == []
    assert list((tmp_path / "there").iterdir()) == []
    adding.path("pictures", folder, **by)
    version.download(tmp_path / "there")
    assert sorted(one.name for one in (tmp_path / "there").iterdir()) == ["a", "b", "c"]


def test_a_path_that_cannot_be_written_is_one_line(
    adding: VersionWriter, store: DataStore, tmp_path: Path, by: By, home: Path
) -> None:
    (tmp_path / "notes.txt").write_text("one")
    version = DatasetVersion(adding.path("notes", tmp_path / "notes.txt", **by)[0], store)
    with pytest.raises(UsageError, match=r"cannot write .*below: a part of the path is a file"):
        version.download(tmp_path / "notes.txt" / "below")
    with pytest.raises(UsageError, match="cannot write /proc/x"):
        version.download("/proc/x/y.txt")


def test_a_dict_with_one_frame_is_a_folder_as_any_dict_is(
    adding: VersionWriter, store: DataStore, tmp_path: Path, by: By, home: Path
) -> None:
    version = DatasetVersion(adding.value("d", {"x": FRAME[["number"]]}, what="d", **by)[0], store)
    assert [one.name for one in version.path().iterdir()] == ["x.parquet"]
    version.download(tmp_path / "out")
    assert [one.name for one in (tmp_path / "out").iterdir()] == ["x.parquet"]


@pytest.mark.parametrize(
    "array", [np.zeros(2, "longdouble"), np.zeros(2, "clongdouble"), np.zeros(2, [("a", "longdouble")])]
)
@pytest.mark.skipif(np.dtype("longdouble").itemsize == 8, reason="is float64 on this machine")
def test_an_array_that_another_machine_reads_differently_is_refused(array: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="differs from machine to machine; convert it"):
        write(array, tmp_path, "x")
