"""The engines of studies, as the tests that each of them must pass see them: add yours to ``ENGINES``."""

# a step is as KFP wants it
# ruff: noqa: T201

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from asked_kubernetes import asking
from google.protobuf import json_format
from katib_controller import Controller, Ran
from katib_server import NAMESPACE, katib_server
from kfp import dsl

from kfnb.jobs import system
from kfnb.resources.studies.engine import StudyEngine
from kfnb.resources.studies.katib import connect
from kfnb.resources.studies.local.engine import LocalStudyEngine
from kfnb.resources.studies.local.folder import StudyFolder
from kfnb.resources.studies.model import Objective
from kfnb.resources.studies.search import Search, TrialSubject
from kfnb.resources.studies.space import read_space


@dsl.component(base_image="python:3.11-slim")
def dip(x: float, gate: str) -> NamedTuple("Outputs", [("loss", float)]):
    """A loss that is least at 0.25; above 1 it fails. It is not over before the file ``gate`` is there."""
    import os
    import time

    print(f"x is {float(x)}", flush=True)
    while not os.path.exists(gate):  # noqa: PTH110 - a step is as a notebook's user writes it
        time.sleep(0.02)
    if x > 1:
        raise ValueError("too far out")
    return ((x - 0.25) ** 2,)


@cache
def _spec() -> dict[str, Any]:
    @dsl.pipeline(name="dips")
    def dips(x: float, gate: str) -> None:
        dip(x=x, gate=gate)

    found: dict[str, Any] = json_format.MessageToDict(dips.pipeline_spec)
    return found


@dataclass(frozen=True)
class Studies:
    """Studies of one engine. Their trials come to their ends while the ``gate`` is open.

    ``noted`` are changes to a search that the engine has something to say to, and a part of that.
    """

    engine: StudyEngine
    gate: Path
    noted: tuple[dict[str, Any], str]

    def open(self) -> None:
        self.gate.touch()

    def close(self) -> None:
        self.gate.unlink(missing_ok=True)

    def search(
        self, name: str = "bowl", space: str = "x=float(0,1,step=0.25)", max_trials: int = 3, **changes: Any
    ) -> Search:
        subject = TrialSubject("dip", _spec(), arguments={"gate": str(self.gate)}, step="dip")
        made = Search(name, subject, Objective("loss"), read_space(space), algorithm="grid")
        return replace(made, max_trials=max_trials, **changes)

    def start(self, name: str = "bowl", **changes: Any) -> str:
        self.engine.start(self.search(name, **changes))
        return name


@contextmanager
def local(folder: Path) -> Iterator[Studies]:
    studies = Studies(
        LocalStudyEngine(folder / "home", jobs=2), folder / "gate", ({}, "of which 3 are tried")
    )
    studies.open()
    yield studies
    for study in studies.engine.list():
        system.end_all(StudyFolder(folder / "home" / "studies" / study.name).tag)


@contextmanager
def katib(folder: Path) -> Iterator[Studies]:
    gate = folder / "gate"

    def trial(_: str, params: Mapping[str, float]) -> Ran | None:
        x = params["x"]
        if not gate.exists():
            return None
        if x > 1:
            return Ran(f"x is {x}\n{TRACEBACK}", None)
        return Ran(f"x is {x}\n", (x - 0.25) ** 2)

    noted = {"algorithm": "auto"}, "Katib has no auto"
    with katib_server() as server, Controller(server, trial).going():
        studies = Studies(connect(asking(server.url), NAMESPACE), gate, noted)
        studies.open()
        yield studies


TRACEBACK = """\
Traceback (most recent call last):
  File "/usr/lib/python3.11/site-packages/kfp/dsl/executor_main.py", line 109, in <module>
    executor_main()
  File "/tmp/tmp.1/ephemeral_component.py", line 24, in dip
    raise ValueError("too far out")
ValueError: too far out
"""

ENGINES: dict[str, Callable[[Path], AbstractContextManager[Studies]]] = {"local": local, "katib": katib}


def until(look: Callable[[], Any], seconds: float = 60) -> Any:
    """What ``look`` sees, as soon as it is something."""
    end = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < end, f"not after {seconds} s"
        time.sleep(0.05)
    return seen
