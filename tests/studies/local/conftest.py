"""What the tests of the local search share. The folder's helpers are importable by name from its tests."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import kfnb
from kfnb.capture.component import Options
from kfnb.jobs.system import end_all
from kfnb.resources.studies.api import cell_subject
from kfnb.resources.studies.handle import Study

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def start(shell: Any) -> Iterator[Any]:
    """Start a study whose trial is a cell with this body; it is gone when the test is over."""
    made: list[Study] = []

    def begin(body: str, space: Any = "x=float(0,1)", *, name: str = "s", **how: Any) -> Study:
        how = {"objective": "loss", "maximize": False, "trials": 4, "seed": 1, **how}
        cell = shell.kernel.trial_cell(name, "", body)
        subject = cell_subject(
            cell,
            Options(),
            space,
            objective=how["objective"],
            metrics=how.get("metrics", ()),
            arguments=how.pop("arguments", None),
        )
        made.append(kfnb.tune(subject, space, name=name, **how))
        return made[-1]

    yield begin
    from local_studies import folder_of

    for study in made:
        end_all(folder_of(study).tag)
