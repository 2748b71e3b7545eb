"""Whole notebooks, as people write them: what is said of them is what their last lines list, and nothing else.

Each file in ``notebooks`` is a notebook, its cells parted by ``# ---``; the last part lists the notes that are true of
it, each by what it says. What a pipeline of all components puts out is what the notebook has.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent / "notebooks"
NOTEBOOKS = sorted(path.stem for path in FOLDER.glob("*.txt"))


def parts_of(name: str) -> tuple[list[str], list[str]]:
    """The cells of a notebook, and the notes that it is to get."""
    *cells, last = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").split("\n# ---\n")
    if not last.startswith("# notes"):
        return [*cells, last], []
    return cells, [line.removeprefix("# ") for line in last.splitlines()[1:]]


def name_of(cell: str) -> str:
    words = cell.split(maxsplit=2)
    return words[1] if words[0] == "%%kf_component" else ""


@pytest.fixture
def told(shell: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("MPLBACKEND", "Agg")

    def run(cells: list[str]) -> list[str]:
        notes = []
        for place, cell in enumerate(cells):
            shell.run(cell, cell_id=f"cell-{place}")
            if name := name_of(cell):
                notes += [f"{name}: {note}" for note in shell.component(name).notes]
        return notes

    return run


@pytest.mark.filterwarnings("ignore")  # of libraries, of which notebooks have many
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_what_is_said_of_a_notebook_is_true(told: Any, name: str) -> None:
    cells, expected = parts_of(name)
    for _ in range(2):  # all cells from the first to the last, and again
        notes = told(cells)
        assert len(notes) == len(expected), notes
        assert all(start in note for note, start in zip(notes, expected, strict=True)), notes


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [name for name in NOTEBOOKS if not parts_of(name)[1]])
def test_a_notebook_gives_the_same_as_a_pipeline(agree: Any, name: str) -> None:
    cells, _ = parts_of(name)
    agree(*cells)
