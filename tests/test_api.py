"""The public functions, on runs that are written down and need not run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import kfnb
from kfnb import settings
from kfnb.errors import RunNotFound, UsageError
from kfnb.jobs.eventlog import opened
from kfnb.resources.runs import api
from kfnb.resources.runs.local import folder as folders

Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a finished run of one task, which logged a loss, into this test's home; its id."""
    monkeypatch.setenv("KFNB_HOME", str(tmp_path))
    settings.reset()

    def write(run_id: str, loss: float = 0.5, **arguments: Any) -> str:
        folder = tmp_path / "runs" / run_id
        folder.mkdir(parents=True)
        created = {"name": run_id, "pipeline": "churn", "backend": "local", "arguments": arguments}
        with opened(folders.RunFolder(folder).path, create=True) as log:
            log.append(
                [
                    ("created", "", created),
                    ("task", "train", {"name": "train"}),
                    ("outputs", "train", {"values": {}, "metrics": {"loss": loss}}),
                    ("state", "train", {"state": "SUCCEEDED"}),
                    ("state", "", {"state": "SUCCEEDED"}),
                ]
            )
        return run_id

    return write


def test_a_run_that_was_here_is_found_here_wherever_runs_go_now(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = write("261124-063722-412k")
    monkeypatch.setenv("KFNB_BACKEND", "kubeflow")
    monkeypatch.setenv("KFNB_HOST", "http://127.0.0.1:9")  # nobody answers there
    settings.reset()
    assert kfnb.run(one).backend == "local"
    assert [run.id for run in kfnb.runs(backend="local")] == [one]


def test_a_run_is_found_by_the_start_of_its_id(write: Write) -> None:
    one, two = write("261124-063722-412k"), write("261125-063722-412k")
    assert kfnb.run("261124").id == one
    assert kfnb.run(two).id == two
    with pytest.raises(RunNotFound, match="2 runs begin with 26112, as 261125-063722-412k does: give more"):
        kfnb.run("26112")
    with pytest.raises(RunNotFound, match="unknown run 27"):
        kfnb.run("27")
    with pytest.raises(RunNotFound, match="unknown run"):
        kfnb.run("")


def test_runs_are_compared_by_id_by_handle_and_by_what_a_list_has(write: Write) -> None:
    ids = [write(f"26112{number}-000000-000a", loss=number / 10, C=number) for number in range(3)]
    listed = kfnb.runs()[0]
    assert listed.tasks == ()
    comparison = kfnb.compare(ids[0], kfnb.run(ids[1]), listed)
    assert [run.id for run in comparison.runs] == ids
    assert {row.name: row.values for row in comparison.arguments} == {"C": (0, 1, 2)}
    assert {row.name: row.values for row in comparison.metrics} == {"train.loss": (0.0, 0.1, 0.2)}
    assert not comparison.whole
    assert api.compare(*ids, whole=True).whole


def test_fewer_than_two_runs_are_nothing_to_compare(write: Write) -> None:
    only = write("261124-063722-412k")
    with pytest.raises(UsageError, match="give two or more runs to compare, not none"):
        kfnb.compare()
    with pytest.raises(UsageError, match=f"not {only}"):
        kfnb.compare(only, kfnb.run(only))
    with pytest.raises(RunNotFound, match="unknown run nothing"):
        kfnb.compare(only, "nothing")
