"""The clock of schedules: the machine's, or one that several processes share and that tests speed up."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kfnb import clock


def test_it_is_the_machines_clock() -> None:
    assert clock.now() == pytest.approx(time.time(), abs=0.5)
    assert (clock.real(60), clock.passed(60)) == (60, 60)


def test_a_clock_that_is_sped_up_is_so_in_all_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(clock.VARIABLE, str(tmp_path / "clock"))
    clock.set_clock(tmp_path / "clock", rate=1000, at=86400)
    began, first = time.perf_counter(), clock.now()
    time.sleep(0.05)
    assert clock.now() - first == pytest.approx((time.perf_counter() - began) * 1000, rel=0.3)
    assert (clock.real(60), clock.passed(60)) == (0.06, 60_000)
    program = "from kfnb import clock; print(clock.now())"
    shown = subprocess.check_output([sys.executable, "-c", program], env=os.environ, text=True)
    assert first < float(shown) <= clock.now()


def test_it_can_be_set_while_others_read_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(clock.VARIABLE, str(tmp_path / "clock"))
    clock.set_clock(tmp_path / "clock", rate=1, at=1_000_000)
    clock.set_clock(tmp_path / "clock", rate=1, at=500_000)
    assert clock.now() == pytest.approx(500_000, abs=5)
