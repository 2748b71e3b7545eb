"""What the launcher of a training tells of its ranks beside what they report: memory, CPU, pace, and how often."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kfnb.capture.embedded.rank_pace import kfnb_RankPace
from kfnb.capture.embedded.rank_reports import kfnb_RankReports
from kfnb.capture.embedded.rank_usage import kfnb_RankUsage, kfnb_usage_of_sessions
from tests.training.launched_ranks import launch

MEGABYTE = 1 << 20

linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that have passed, to be set."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def reports(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, clock: list[float]) -> kfnb_RankReports:
    """Reports that begin at 100 s, and are written to ``events``."""
    monkeypatch.setenv("KFNB_RANK_EVENTS", str(tmp_path / "events"))
    return kfnb_RankReports()


def test_a_rank_that_has_ended_has_a_peak_of_memory_and_its_average_of_cores(tmp_path: Path) -> None:
    cell = f"""
if rank == 1:
    block = b"x" * {80 * MEGABYTE}
    until = time.process_time() + 0.5
    while time.process_time() < until:
        pass
else:
    time.sleep(0.8)
"""
    done = launch(tmp_path, cell)
    idle, busy = done.of(0), done.of(1)
    assert busy["peak"] - idle["peak"] > 60 * MEGABYTE
    assert busy["cpu"] > 2 * idle["cpu"]
    assert idle["cpu"] < 0.5


@linux
def test_what_a_rank_has_started_counts_as_its_own() -> None:
    program = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"
    child = f"block = b'x' * {50 * MEGABYTE}; print('there', flush=True); input()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, child],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    with process:
        assert process.stdout is not None
        process.stdout.readline()
        found = kfnb_usage_of_sessions({process.pid})
        usage = kfnb_RankUsage()
        first = usage.sample({0: process.pid})
        assert usage.sample({0: process.pid}) == {}, "it is too early for another sample"
        process.communicate(b"\n")
    memory, seconds = found[process.pid]
    assert memory > 50 * MEGABYTE
    assert seconds > 0
    assert [*first[0]] == ["memory", "peak"], "cores are known from the second sample on"


@linux
def test_cores_are_those_in_use_since_the_sample_before() -> None:
    usage = kfnb_RankUsage()
    usage.sample({0: os.getsid(0)})
    usage.EVERY = 0.0
    until = time.process_time() + 0.3
    while time.process_time() < until:
        pass
    assert usage.sample({0: os.getsid(0)})[0]["cpu"] > 0.2


def test_nothing_is_sampled_where_there_is_no_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os.path, "isdir", lambda _: False)
    assert kfnb_usage_of_sessions({os.getpid()}) == {}


def test_a_pace_is_that_of_the_last_reports(clock: list[float]) -> None:
    pace = kfnb_RankPace()
    assert pace.take(0) is None, "one report has no pace"
    for seconds in range(1, 200):
        clock[0] += 1
        found = pace.take(10 * seconds if seconds < 100 else 1000 + 2 * (seconds - 100))
    assert found == pytest.approx(2.0)
    assert len(pace.marks) <= kfnb_RankPace.MARKS
    clock[0] += 1
    assert pace.take(0) is None, "it has begun anew"


def test_steps_a_second_and_the_time_left_are_told(reports: kfnb_RankReports, clock: list[float]) -> None:
    for step in range(5):
        reports.add(0, {"step": 10 * step, "metrics": {"loss": 1.0}}, own=True)
        reports.add(0, {"progress": step / 10}, own=True)
        clock[0] += 5
    told = reports.news[0]
    assert told["rate"] == pytest.approx(2.0)
    assert told["expected"] - time.time() == pytest.approx(30, abs=1)


def test_what_is_logged_is_written_every_two_seconds_and_a_state_at_once(
    reports: kfnb_RankReports, clock: list[float], tmp_path: Path
) -> None:
    def written() -> list[dict[str, dict[str, object]]]:
        return [json.loads(line) for line in (tmp_path / "events").read_text().splitlines()]

    reports.flush()
    for step in range(100):  # 10 s
        for rank in (0, 1):
            reports.add(rank, {"step": step, "metrics": {"loss": 1.0}}, own=True)
        reports.flush()
        clock[0] += 0.1
    assert len(written()) <= 6
    reports.add(1, {"state": "FAILED", "exit": 3})
    reports.flush()
    assert written()[-1]["1"]["state"] == "FAILED"
    assert "0" not in written()[-1]
    reports.flush(force=True)
    assert max(one["0"]["step"] for one in written() if "0" in one) == 99


def test_a_training_of_a_day_is_written_some_thousand_times(
    reports: kfnb_RankReports, clock: list[float], tmp_path: Path
) -> None:
    for _ in range(24 * 3600):
        reports.add(0, {"progress": 0.5})
        reports.flush()
        clock[0] += 1
    assert len((tmp_path / "events").read_text().splitlines()) < 4000
