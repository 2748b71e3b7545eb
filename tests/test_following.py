"""What the terminal says of a run that waits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from kfnb.cli import main
from kfnb.entities import RunState
from kfnb.jobs.fold import Event
from kfnb.jobs.polling import Pace
from kfnb.resources.runs import api
from kfnb.resources.runs.commands import SubmitPipeline
from kfnb.resources.runs.events import fold
from kfnb.resources.runs.handle import Run

REASON = "cannot be scheduled: 0/1 nodes are available: 1 Insufficient cpu"
BEGINNING = (
    ("created", "", {"name": "r", "pipeline": "p", "backend": "kubeflow", "arguments": {}}),
    ("state", "", {"state": RunState.RUNNING}),
    ("task", "many", {"name": "many", "parent": "", "group": False, "needs": [], "takes": {}}),
    ("state", "many", {"state": RunState.RUNNING}),
    ("doing", "many", {"text": REASON}),
)
END = (
    ("state", "many", {"state": RunState.SUCCEEDED}),
    ("state", "", {"state": RunState.SUCCEEDED}),
)


class Waits:
    """A backend whose run waits for so many looks, and is then done."""

    name = "kubeflow"
    pace = Pace(0.01, 0.01)

    def __init__(self, looks: int) -> None:
        self.looks = looks

    def events(self, run_id: str, *, after: int = 0, follow: bool = True) -> Iterator[Event]:
        """All that is known by now."""
        assert not follow
        self.looks -= 1
        facts = BEGINNING if self.looks > 0 else (*BEGINNING, *END)
        events = [Event(number, float(number), *fact) for number, fact in enumerate(facts, start=1)]
        yield from events[after:]

    def get(self, run_id: str) -> Any:
        """The run as it waits."""
        return fold(run_id, [Event(at, float(at), *fact) for at, fact in enumerate(BEGINNING, start=1)])


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    backend: Any = Waits(looks=3)
    handle = Run(backend, "r1")
    monkeypatch.setattr(api, "run", lambda *_: handle)
    monkeypatch.setattr(SubmitPipeline, "_submit", lambda *_: handle)
    return handle


def test_what_a_run_waits_for_is_printed_although_nothing_else_happens(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["submit", "any.yaml"]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["run r1", f"0/1 done · many: {REASON}"]
    assert len(lines) == 3
    assert lines[2].startswith("✓ Succeeded")


def test_a_run_that_is_shown_says_what_it_waits_for(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "show", "r1"]) == 0
    out = capsys.readouterr().out
    assert f"- many: {REASON}" in out
    assert "○ Pending" in out


def test_json_has_what_tasks_wait_for(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "show", "r1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["doing"], told["tasks"][0]["doing"]) == (REASON, REASON)
