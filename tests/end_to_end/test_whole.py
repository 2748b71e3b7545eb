"""A whole notebook becomes a pipeline by headers alone, and everything that it makes is what plain execution makes.

Each notebook runs without kfnb, as its author wrote it, and as a pipeline here; the largest also step by step as KFP's
driver and launcher run what is compiled, in empty folders and without the notebook's. Every output of every step and
every file that one writes is compared to how plain execution left it when the component's last cell had run.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from kfnb.text.parameter_values import plain
from tests.end_to_end.notebook import FOLDER, Whole, kernel, whole
from tests.runs.launcher import Reference

pytestmark = pytest.mark.slow

NOTEBOOKS = sorted(path.stem for path in FOLDER.glob("*.txt"))
IN_PODS = "competition"
"""The notebook that also runs as in pods, which takes some seconds a step."""
LOOK = "[look_at_names(space), values_of(space), look_at_folder(Path(), globals().setdefault('KNOWN', {}))]"
NOTES = (
    "{name: list(one.notes) for name, one in"
    " __import__('kfnb.ipython').ipython.extension_of(__import__('IPython').get_ipython()).kernel.notebook"
    ".components.items()}"
)
Outputs = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Seen:
    """How the names, the plain values and the files of a notebook were after one of its cells."""

    names: dict[str, str]
    values: dict[str, Any]
    files: dict[str, str]


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """All variables of the environment that this process has from now on, and so all that it starts."""
    for name in os.environ:
        monkeypatch.delenv(name)
    (tmp_path / "user").mkdir()
    path = f"{Path(sys.executable).parent}{os.pathsep}/usr/bin{os.pathsep}/bin"
    wanted = {"PATH": path, "HOME": str(tmp_path / "user"), "PIP_NO_INDEX": "1", "JUPYTER_PLATFORM_DIRS": "1"}
    for name, value in wanted.items():
        monkeypatch.setenv(name, value)
    return wanted


def executed_plainly(notebook: Whole, folder: Path, environment: dict[str, str]) -> list[Seen]:
    """What there was after each cell of the notebook without headers."""
    folder.mkdir()
    seen = []
    with kernel(folder, environment) as here:
        for cell in notebook.plain:
            here.run(cell)
            seen.append(Seen(*here.ask(LOOK)))
    return seen


def differences(made: Outputs, notebook: Whole, seen: list[Seen]) -> Iterator[str]:
    """What the steps made that is not as plain execution had it, and the files of it that no step made."""
    files = set()
    for task, outputs in made.items():
        name = task.replace("-", "_")
        then = seen[notebook.last_cells[name]]
        for output, one in outputs.items():
            if "files" in one:
                files |= one["files"].keys()
                yield from (f"{name}: {f}" for f, look in one["files"].items() if then.files.get(f) != look)
            elif "looks" in one and then.names.get(output) != one["looks"]:
                yield f"{name}: {output}"
            elif "value" in one and repr(plain(then.values.get(output))) != repr(plain(one["value"])):
                yield f"{name}: {output} is {one['value']!r}, not {then.values.get(output)!r}"
    components = notebook.last_cells.values()
    of_plain_cells = set(seen[min(components) - 1].files)
    yield from (f"no step writes {file}" for file in seen[-1].files.keys() - of_plain_cells - files)


def made_by(reference: Reference) -> Outputs:
    """The outputs of the tasks, as ``look_at_outputs`` takes them."""
    return {
        name: {
            **task.outputs,
            **{key: {"uri": one[0]["uri"], "metadata": one[0]["metadata"]} for key, one in task.made.items()},
        }
        for name, task in reference.tasks.items()
    }


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_whole_notebook_is_a_pipeline_by_headers_alone(
    name: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    notebook = whole(name)
    seen = executed_plainly(notebook, tmp_path / "plain", environment)
    folder = tmp_path / "notebook"
    folder.mkdir()
    root = str(Path(__file__).parents[2])
    ours = {"KFNB_HOME": str(tmp_path / "home"), "KFNB_WARM": "0", "PYTHONPATH": root}
    with kernel(folder, {**environment, **ours}) as here:
        for cell in notebook.cells:
            here.run(cell)
        notes = [f"{component}: {note}" for component, said in here.ask(NOTES).items() for note in said]
        assert len(notes) == len(notebook.notes), notes
        assert all(start in note for note, start in zip(notes, notebook.notes, strict=True)), notes

        made = here.ask("look_at_outputs(outputs_of_run(space['run'].wait(600)))")
        assert made.keys() == {task.replace("_", "-") for task in notebook.last_cells}
        assert not list(differences(made, notebook, seen))

        if name != IN_PODS:
            return
        here.run(f"%kf_compile whole --to {tmp_path / 'whole.yaml'}")
        shutil.move(folder, tmp_path / "away")
        spec = next(yaml.safe_load_all((tmp_path / "whole.yaml").read_text(encoding="utf-8")))
        there = Reference(spec, {}, tmp_path / "pods")
        folder.mkdir()  # the kernel looks for its folder
        assert there.state == "SUCCEEDED", {name: task.state for name, task in there.tasks.items()}
        made = here.ask(f"look_at_outputs(__import__('json').loads({json.dumps(made_by(there))!r}))")
        assert not list(differences(made, notebook, seen))
