"""What a server keeps of requests: what comes back, what is never kept, what a kill or a full disk costs."""

from __future__ import annotations

import errno
import json
import signal
import stat
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfnb.entities.log_policy import LogPolicy
from kfnb.resources.services.local.request_files import answered, log_files, read_requests
from kfnb.resources.services.requests import RequestWindow, frame_of, values_of
from kfnb.server import log_segments, main, request_log
from kfnb.server.columns import InputProblem
from kfnb.server.encoding import json_rows, json_value
from kfnb.server.exchange import Exchange, Predicted
from kfnb.server.findings import OnBadInput
from kfnb.server.inputs import ModelInputs, inputs_of
from kfnb.server.log_segments import Segment, complete_abandoned, complete_files, remove_old
from kfnb.server.log_settings import LogSettings
from kfnb.server.logged_rows import LoggedRows
from kfnb.server.logged_types import SettledTypes
from kfnb.server.personal_columns import PersonalColumns, salt_in
from kfnb.server.request_log import RequestLog, Sample
from tests.server.model_folders import Program, array_folder, churn_folder, customers, deployed, program

ALL = RequestWindow()


def kept(folder: Path, window: RequestWindow = ALL) -> Any:
    return frame_of(read_requests(folder, window))


def of_column(name: str = "x") -> ModelInputs:
    """The inputs of a model of which nothing is known but the name of its column."""
    facts = {"inputs": [{"name": name}], "sample": {"kind": "pandas.DataFrame"}}
    return inputs_of(facts, None, OnBadInput.LOG)


def exchange(id: str, values: list[Any], inputs: ModelInputs, *, at: float = 0.0, size: int = 1) -> Exchange:
    """A request whose column ``x`` has some values, which are the predictions too."""
    rows = inputs.rows([{"x": value} for value in values])
    made = Exchange(id, rows, Predicted(values), size=size)
    made.ended(200)
    made.at = at or made.at
    return made


# -- values

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
values = scalars | st.lists(scalars, max_size=3) | st.dictionaries(st.text(max_size=3), scalars, max_size=3)
columns = st.one_of(
    *(
        st.lists(st.none() | some, min_size=1, max_size=6)
        for some in (st.booleans(), st.integers(), st.text())
    ),
    st.lists(values, min_size=1, max_size=6),
)


@given(st.lists(columns, min_size=1, max_size=4))
def test_values_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, blocks: list[list[Any]]
) -> None:
    import pyarrow as pa

    folder, types = tmp_path_factory.mktemp("log"), SettledTypes()
    at = pa.array([0], pa.int64()).cast(pa.timestamp("us", tz="UTC"))
    for number, some in enumerate(blocks):
        array, field = types.settle("input.x", some)
        times = pa.concat_arrays([at] * len(some))
        block = pa.RecordBatch.from_arrays([times, array], schema=pa.schema([("time", times.type), field]))
        segment = Segment(folder, f"r1-{number:04}-1", block.schema)
        segment.append(block)
        if number % 2:
            segment.close()  # as by a process that was killed
        else:
            segment.complete()
    found = [
        value
        for file in sorted(log_files(folder), key=lambda one: one.path.stem.rpartition("r1-")[2])
        for block in read_one(folder, file)
        for value in values_of(block["x"], block.schema.field("x"))
    ]
    given_values = [json_value(value) for some in blocks for value in some]
    assert found == given_values
    assert [type(one) is bool for one in found] == [type(one) is bool for one in given_values]


def read_one(folder: Path, file: Any) -> Iterator[Any]:
    from kfnb.resources.services.local import request_files

    del folder
    yield from request_files._blocks(file, ())


@given(st.lists(st.lists(values, min_size=1, max_size=4), min_size=1, max_size=5))
def test_requests_come_back_with_their_rows(
    tmp_path_factory: pytest.TempPathFactory, requests: list[list[Any]]
) -> None:
    folder, inputs = tmp_path_factory.mktemp("log"), of_column()
    log = RequestLog(LogSettings(folder), inputs)
    for number, some in enumerate(requests):
        log.keep(exchange(f"r{number}", some, inputs))
    log.close()
    found = answered(folder, [f"r{number}" for number in range(len(requests))])
    assert found == {
        f"r{number}": {1: [json_value(one) for one in some]} for number, some in enumerate(requests)
    }


def test_integers_beyond_floats_and_text_with_nul_are_exact(tmp_path: Path) -> None:
    inputs = of_column()
    log = RequestLog(LogSettings(tmp_path), inputs)
    log.keep(exchange("a", [2**53 + 1, None], inputs))
    log.close()
    assert kept(tmp_path)["input.x"].tolist()[0] == 2**53 + 1
    log = RequestLog(LogSettings(tmp_path / "texts"), inputs)
    log.keep(exchange("b", ["a\0b", "\ud800"], inputs))
    log.close()
    assert kept(tmp_path / "texts")["prediction"].tolist() == ["a\0b", "\ud800"]


# -- a program


@pytest.fixture(scope="module")
def churn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("churn")
    churn_folder(base / "model")
    return deployed(base / "model", base / "served")


@pytest.fixture(scope="module")
def arrays(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("arrays")
    array_folder(base / "model")
    return deployed(base / "model", base / "served")


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def counts(served: Program) -> dict[str, int]:
    found: dict[str, int] = served.ask("GET", "/kfnb/stats").json["log"]
    return found


def test_a_request_is_kept_with_what_was_made_of_it(churn: Path, tmp_path: Path) -> None:
    frame = customers().head(3)
    with program(churn, "--log", str(tmp_path / "log"), "--revision", "4") as served:
        predictions = served.predict(json_rows(frame))
        bad = {**json_rows(frame)[0], "income": "much"}
        refused = served.ask(
            "POST", "/v1/models/churn:predict", {"instances": [bad]}, x_kfnb_request_id="bad"
        )
        assert served.ask("POST", "/v1/models/churn:predict", b"{").status == 400
        served.explain(json_rows(frame))  # is not kept
        until(lambda: counts(served)["kept"] == 3)
        assert refused.status == 422
        found = kept(tmp_path / "log")
    assert found.prediction.tolist()[:3] == predictions
    assert found["row"].tolist() == [0, 1, 2, 0, 0]
    assert set(found.revision) == {4}
    assert set(found.version) == {"1"}
    assert found["input.income"].tolist()[:3] == pytest.approx(frame.income.tolist(), nan_ok=True)
    assert found["input.visits"].tolist()[:3] == frame.visits.tolist()
    assert [one.isoformat() for one in found["input.seen"][:3]] == [
        one.tz_convert("UTC").isoformat() for one in frame.seen
    ]
    assert found["features.year"].tolist()[:3] == frame.joined.dt.year.tolist()
    assert "features.city_Bern" in found
    assert (found.latency_ms > 0).all()
    assert found.status.tolist() == [200, 200, 200, 422, 400]
    assert found.error.tolist()[3:] == ["bad-input", "bad-request"]
    assert found.problems[3] == {"wrong-type": {"income": 1}}
    assert found.raw[3] == [bad]
    assert found.id[3] == "bad"
    for path in (tmp_path / "log").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o700


def test_imputed_rows_are_kept_as_they_came_too(churn: Path, tmp_path: Path) -> None:
    rows = json_rows(customers().head(2))
    with program(churn, "--log", str(tmp_path), "--on-bad-input", "impute") as served:
        served.predict([rows[0], {**rows[1], "age": "old"}])
        until(lambda: counts(served)["kept"] == 1)
        found = kept(tmp_path)
    assert found.raw.tolist() == [rows[0], {**rows[1], "age": "old"}]
    assert found["input.age"].tolist()[0] == rows[0]["age"]
    assert found.problems.tolist() == [{"wrong-type": {"age": 1}}] * 2


def test_personal_columns_are_never_written(churn: Path, tmp_path: Path) -> None:
    rows = json_rows(customers().head(4))
    for one in rows:
        one["city"] = "Zürich"
    with program(
        churn, "--log", str(tmp_path), "--log-hash", "city", "--log-drop", "age", "--log-drop", "income"
    ) as served:
        served.predict(rows)
        bad = {**rows[0], "paid": "no", "email": "anna@example.org"}
        served.ask("POST", "/v1/models/churn:predict", {"instances": [bad, list(bad.values())]})
        served.ask("POST", "/v1/models/churn:predict", {"instances": [bad]})
        until(lambda: counts(served)["kept"] == 3)
        found, growing = kept(tmp_path), b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert {"input.age", "input.income", "features.age", "features.income"}.isdisjoint(found.columns)
    assert found["input.city"].nunique() == 1
    assert len(found["input.city"][0]) == 32
    assert "city" in found.raw.dropna().iloc[-1][0]
    assert not {"age", "income", "email"} & found.raw.dropna().iloc[-1][0].keys()
    for secret in ("Zürich".encode(), json.dumps("Zürich").encode(), b"anna@example"):
        assert secret not in growing


def test_nothing_is_kept_of_a_bad_row_whose_columns_have_no_names(tmp_path: Path) -> None:
    facts = {
        "inputs": [{"name": "", "type": "float64", "shape": [-1, 3]}],
        "sample": {"kind": "numpy.ndarray"},
    }
    inputs = inputs_of(facts, None, OnBadInput.REJECT)
    fine = Exchange("fine", inputs.rows([[1.0, 2.0, 3.0]]), Predicted([1]))
    bad = Exchange("bad", bad={(InputProblem.TYPE, ""): 1}, body=b'{"instances": [["x", "secret", 2]]}')
    log = RequestLog(LogSettings(tmp_path, drop=["1"]), inputs)
    for one in (fine, bad):
        one.ended(422 if one.bad else 200)
        log.keep(one)
    log.close()
    found = kept(tmp_path)
    assert [name for name in found.columns if name.startswith("input.")] == ["input.0", "input.2"]
    assert found.raw.tolist() == [None, [None]]


def test_digests_are_of_one_service(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    one, again, other = (
        PersonalColumns((), ("x",), salt_in(place)) for place in (tmp_path, tmp_path, tmp_path / "other")
    )
    assert one.digest("anna") == again.digest("anna") != other.digest("anna")
    assert one.digest(None) is None
    assert one.digest(5) == one.digest(5.0) != one.digest(5.5)


@pytest.mark.parametrize("moment", range(3))
def test_a_program_that_is_killed_loses_what_came_last_alone(
    arrays: Path, tmp_path: Path, moment: int
) -> None:
    with program(arrays, "--log", str(tmp_path)) as served:
        done: list[float] = []
        stop = threading.Event()

        def ask() -> None:
            while not stop.is_set():
                try:
                    served.predict([[1.0, 2.0, 3.0]])
                except Exception:  # it was killed
                    return
                done.append(time.time())

        clients = [threading.Thread(target=ask) for _ in range(4)]
        for one in clients:
            one.start()
        until(lambda: len(done) > 100)
        time.sleep(0.3 + 0.17 * moment)
        killed = time.time()
        served.end(signal.SIGKILL)
        stop.set()
        for one in clients:
            one.join()
    before = kept(tmp_path)
    due = sum(at < killed - 2 * request_log.WRITTEN_WITHIN for at in done)
    assert due <= len(before) <= len(done) + 4
    assert before.id.is_unique
    with program(arrays, "--log", str(tmp_path)) as served:
        until(lambda: not list(tmp_path.glob("*.arrows")))  # the next one completes the file
        assert kept(tmp_path).equals(before)


def test_a_full_disk_costs_requests_of_the_log_alone(arrays: Path, tmp_path: Path) -> None:
    limited = ["prlimit", "--fsize=200000"]  # of each file, as a full disk has none
    with program(arrays, "--log", str(tmp_path), prefix=limited) as served:
        for _ in range(30):
            served.predict([[1.0, 2.0, 3.0]] * 20)
        until(lambda: counts(served)["kept"] == 30)
        served.predict([[1.0, 2.0, 3.0]] * 20000)  # more than the limit
        until(lambda: counts(served)["dropped"] == 1)
        served.predict([[1.0, 2.0, 3.0]])
        until(lambda: counts(served)["kept"] == 31)
        assert served.end() == 0
    assert len(kept(tmp_path)) == 30 * 20 + 1
    assert "requests that are not kept: 1 (File too large)" in served.log.read_text()


def test_a_folder_that_cannot_be_written_is_told_and_tried_again(arrays: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with program(arrays, "--log", str(tmp_path / "file")) as served:
        served.predict([[1.0, 2.0, 3.0]])
        until(lambda: counts(served)["dropped"] == 1)
        (tmp_path / "file").unlink()
        served.predict([[1.0, 2.0, 3.0]])
        until(lambda: counts(served)["kept"] == 1)
    assert "requests that are not kept: 1 (" in served.log.read_text()
    assert len(kept(tmp_path / "file")) == 1


def test_a_program_without_arrow_answers_and_says_that_it_keeps_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(main, "find_spec", lambda _: None)
    options = main._parser(tmp_path).parse_args(["--log", str(tmp_path)])
    assert main._request_log(options, None) is None  # type: ignore[arg-type] - it is not looked at
    assert "requests are not kept: pyarrow is not installed here" in capsys.readouterr().err


def test_columns_that_a_version_does_not_have_are_named_in_its_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = SimpleNamespace(facts={"inputs": [{"name": "x"}]}, transform=None)
    served: Any = SimpleNamespace(folder=folder, inputs=of_column())
    main._report_unknown(LogSettings(tmp_path, drop=["x", "email"], hash=["zip"]), served)
    assert "the model has no email, zip" in capsys.readouterr().err
    main._report_unknown(LogSettings(tmp_path, drop=["x"]), served)
    assert not capsys.readouterr().err


# -- files


def test_a_file_that_has_just_begun_is_not_taken_for_an_abandoned_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = of_column()
    block = LoggedRows(LogSettings(tmp_path), inputs, PersonalColumns((), (), b"")).block(
        [exchange("r", [1], inputs)]
    )
    lock = log_segments.fcntl.flock

    def lock_late(file: int, how: int) -> None:
        monkeypatch.undo()
        complete_abandoned(tmp_path)  # another process looks just now
        lock(file, how)

    monkeypatch.setattr(log_segments.fcntl, "flock", lock_late)
    segment = Segment(tmp_path, "r1-aa-1", block.schema)
    segment.append(block)
    complete_abandoned(tmp_path)
    assert len(kept(tmp_path)) == 1
    segment.complete()
    assert kept(tmp_path).id.tolist() == ["r"]


def filled(folder: Path, name: str, times: list[float], inputs: ModelInputs) -> Segment:
    rows = LoggedRows(LogSettings(folder), inputs, PersonalColumns((), (), b"salt"))
    blocks = [rows.block([exchange(f"{name}-{at}", [at], inputs, at=at)]) for at in times]
    segment = Segment(folder, name, blocks[0].schema)
    for block in blocks:
        segment.append(block)
    return segment


def test_a_file_that_is_cut_off_has_its_whole_blocks(tmp_path: Path) -> None:
    inputs = of_column()
    filled(tmp_path, "r1-a-1", [1.0, 2.0, 3.0], inputs).close()
    (path,) = tmp_path.glob("*.arrows")
    whole = path.read_bytes()
    found = []
    for end in range(0, len(whole) + 1, 7):
        path.write_bytes(whole[:end])
        found.append(len(list(read_requests(tmp_path, ALL))))
    path.write_bytes(whole)
    assert found == sorted(found)
    assert set(found) == {0, 1, 2} | ({3} if found[-1] == 3 else set())
    assert len(kept(tmp_path)) == 3


def test_a_damaged_file_is_left_out_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    inputs = of_column()
    for name in ("r1-a-1", "r1-b-1"):
        filled(tmp_path, name, [1.0], inputs).complete()
    (damaged, _) = sorted(tmp_path.glob("*.parquet"))
    damaged.write_bytes(damaged.read_bytes()[:100])
    assert len(kept(tmp_path)) == 1
    assert f"{damaged} cannot be read" in caplog.text


def test_a_file_is_completed_once(tmp_path: Path) -> None:
    inputs = of_column()
    written = filled(tmp_path, "r1-a-1", [1.0], inputs)
    filled(tmp_path, "r1-b-1", [2.0], inputs).close()
    complete_abandoned(tmp_path)  # and not what this process still writes
    assert [path.name for path in tmp_path.glob("*.arrows")] == ["r1-a-1.arrows"]
    copy = (tmp_path / "r1-a-1.arrows").read_bytes()
    written.complete()
    (tmp_path / "r1-a-1.arrows").write_bytes(copy)  # as by a kill between both
    assert kept(tmp_path).id.tolist() == ["r1-a-1-1.0", "r1-b-1-2.0"]


def test_texts_that_are_repeated_have_a_dictionary_and_floats_have_none(tmp_path: Path) -> None:
    inputs = of_column()
    rows = LoggedRows(LogSettings(tmp_path), inputs, PersonalColumns((), (), b"salt"))
    block = rows.block([exchange("r", [at + 0.5 for at in range(100)], inputs)])
    segment = Segment(tmp_path, "r1-a-1", block.schema)
    segment.append(block)
    segment.complete()
    (path,) = tmp_path.glob("*.parquet")
    group = pq.ParquetFile(path).metadata.row_group(0)
    columns = {one.path_in_schema: one for one in map(group.column, range(group.num_columns))}
    found = {name: "RLE_DICTIONARY" in one.encodings for name, one in columns.items()}
    assert found["id"]
    assert not any(found[name] for name in ("input.x", "prediction"))


def test_the_oldest_files_are_removed(tmp_path: Path) -> None:
    inputs, now = of_column(), time.time()
    for number, days in enumerate((40, 20, 10, 1)):
        filled(tmp_path, f"r1-{number}-1", [now - days * 86400], inputs).complete()
    size = max(path.stat().st_size for path in tmp_path.glob("*.parquet"))
    remove_old(tmp_path, 30, 10 * size)
    assert [one.name for one in complete_files(tmp_path)] == ["r1-1-1", "r1-2-1", "r1-3-1"]
    remove_old(tmp_path, 30, 2 * size)
    assert [one.name for one in complete_files(tmp_path)] == ["r1-2-1", "r1-3-1"]


def test_only_files_of_the_time_are_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs, opened = of_column(), []
    for number in range(20):
        filled(tmp_path, f"r1-{number:02}-1", [100.0 * number + 1, 100.0 * number + 50], inputs).complete()
    from kfnb.resources.services.local import request_files

    blocks = request_files._blocks
    monkeypatch.setattr(
        request_files, "_blocks", lambda file, columns: opened.append(file) or blocks(file, columns)
    )
    found = kept(tmp_path, RequestWindow(500.0, 700.0))
    assert [one.timestamp() for one in found.time] == [501.0, 550.0, 601.0, 650.0]
    assert len(opened) == 2


def test_clocks_that_go_back_lose_nothing(tmp_path: Path) -> None:
    inputs = of_column()
    log = RequestLog(LogSettings(tmp_path), inputs)
    for number, at in enumerate((1000.0, 400.0, 700.0)):
        log.keep(exchange(f"r{number}", [number], inputs, at=at))
    until(lambda: log.kept == 3)
    for _ in range(2):  # while the file grows, and when it is complete
        assert kept(tmp_path, RequestWindow(300.0, 800.0)).id.tolist() == ["r1", "r2"]
        log.close()
    assert [(one.least, one.most) for one in complete_files(tmp_path)] == [(400.0, 1000.0)]


# -- how much


def test_of_more_requests_than_the_rate_a_sample_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    sample = Sample(10)
    assert [sample.share() for _ in range(40)] == [1.0] * 40
    clock[0] += 1
    assert sample.share() == 0.25
    clock[0] += 5  # nothing came in the second before
    assert sample.share() == 1.0
    monkeypatch.undo()
    inputs = of_column()
    log = RequestLog(LogSettings(tmp_path, rate=50), inputs)
    end = time.monotonic() + 2.5
    while time.monotonic() < end:
        log.keep(exchange("r", [1], inputs))
        time.sleep(0.001)
    log.close()
    found = kept(tmp_path)
    assert log.left_out > 0
    assert len(found) == log.kept
    assert found.share.min() < 1
    total = log.kept + log.left_out
    assert abs((1 / found.share).sum() - total) < total / 2  # shares give back how many there were


def test_what_waits_to_be_written_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_log, "_MOST_WAITING", 1000)
    monkeypatch.setattr(request_log, "WRITTEN_WITHIN", 2.0)
    inputs = of_column()
    log = RequestLog(LogSettings(tmp_path), inputs)
    for number in range(30):
        log.keep(exchange(f"r{number}", [1], inputs, size=100))
    log.close()
    assert (log.kept, log.dropped) == (10, 20)
    assert len(kept(tmp_path)) == 10


def test_old_files_are_removed_where_the_disk_has_no_room_to_complete_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = of_column()
    filled(tmp_path, "r1-old-1", [1.0], inputs).complete()
    log = RequestLog(LogSettings(tmp_path), inputs)
    log.keep(exchange("r", [1], inputs))
    until(lambda: log.kept == 1)

    def full(folder: Path) -> None:
        raise OSError(errno.ENOSPC, f"no space in {folder}")

    monkeypatch.setattr(request_log, "complete_abandoned", full)
    monkeypatch.setattr(request_log, "_REVIEW", 0.0)
    log.keep(exchange("again", [2], inputs))
    until(lambda: not [one for one in complete_files(tmp_path) if one.name == "r1-old-1"])
    log.close()
    assert log.kept == 2


def test_a_column_may_be_named_like_an_option(tmp_path: Path) -> None:
    policy = LogPolicy(drop=("-age", "--log"), hash=("-x",))
    options = main._parser(tmp_path).parse_args(policy.options)
    assert (options.log_drop, options.log_hash, options.log) == (["-age", "--log"], ["-x"], None)


def test_an_id_that_is_used_again_is_that_of_the_newest_answer(tmp_path: Path) -> None:
    inputs = of_column()
    log = RequestLog(LogSettings(tmp_path), inputs)
    log.keep(exchange("r", [1, 2, 3], inputs))
    log.keep(exchange("r", [4, 5], inputs))
    log.close()
    assert answered(tmp_path, ["r"]) == {"r": {1: [4, 5]}}


def test_texts_are_still_texts_when_values_of_other_types_come_after_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_log, "WRITTEN_WITHIN", 0.02)
    inputs = of_column()
    log = RequestLog(LogSettings(tmp_path), inputs)
    for number, some in enumerate((["no"], [["a", 1]], ["no"]), start=1):
        log.keep(exchange(f"r{number}", some, inputs))
        until(lambda number=number: log.kept == number)
    log.close()
    assert answered(tmp_path, ["r1", "r2", "r3"]) == {
        "r1": {1: ["no"]},
        "r2": {1: [["a", 1]]},
        "r3": {1: ["no"]},
    }


def test_a_large_file_is_completed_while_others_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_log, "_ROWS", 10)
    monkeypatch.setattr(request_log, "WRITTEN_WITHIN", 0.02)
    inputs = of_column()
    log = RequestLog(LogSettings(tmp_path), inputs)
    for number in range(40):
        log.keep(exchange(f"r{number}", [number], inputs))
        time.sleep(0.005)
    log.close()
    assert 2 <= len(complete_files(tmp_path)) <= 4
    assert kept(tmp_path)["input.x"].tolist() == list(range(40))
