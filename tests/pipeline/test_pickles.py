"""What is pickled finds the notebook's classes and functions in a step as it does in the notebook."""

from __future__ import annotations

import cProfile
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Shell

CLASSES = """
import pickle
class Box:
    def __init__(self, v):
        self.v = v
def twice(v):
    return 2 * v"""
LOAD = '%%kf_component load --output v\nwith open("box.pkl", "rb") as file:\n    v = pickle.load(file).v'


@pytest.fixture
def notebook(shell: Shell) -> Shell:
    shell.run(CLASSES)
    return shell


def result(shell: Shell, *steps: str) -> dict[str, Any]:
    shell.run(f"%kf_pipeline p {' '.join(steps)}")
    return dict(shell.submit("p").result)


def test_a_file_is_unpickled_by_a_cell_that_does_not_name_the_class(notebook: Shell) -> None:
    notebook.run('%%kf_component dump\nwith open("box.pkl", "wb") as file:\n    pickle.dump(Box(3), file)')
    notebook.run(LOAD)
    assert notebook.component("load").unpickled == {"Box"}
    assert not notebook.component("load").notes
    assert result(notebook, "dump", "load") == {"v": 3}


def test_a_class_that_a_component_makes_is_an_input_of_what_unpickles_it(shell: Shell) -> None:
    shell.run("import pickle")
    shell.run(
        "%%kf_component dump\nclass Box:\n    def __init__(self, v):\n        self.v = v\n"
        'with open("box.pkl", "wb") as file:\n    pickle.dump(Box(4), file)'
    )
    shell.run(LOAD)
    assert result(shell, "dump", "load") == {"v": 4}


def test_a_value_that_came_from_another_step_is_pickled_by_plain_pickle(notebook: Shell) -> None:
    notebook.run("%%kf_component make\nbox = Box([Box(1), twice])")
    notebook.run('%%kf_component dump\nwith open("box.pkl", "wb") as file:\n    pickle.dump(box, file)')
    notebook.run(
        '%%kf_component load --output v\nwith open("box.pkl", "rb") as file:\n    inner, f = pickle.load(file).v\n'
        "v = f(inner.v)"
    )
    assert result(notebook, "make", "dump", "load") == {"v": 2}


def test_a_function_with_a_cache_travels_with_the_value_that_holds_it(notebook: Shell) -> None:
    notebook.run("from functools import lru_cache\n@lru_cache(maxsize=None)\ndef half(v):\n    return v // 2")
    notebook.run("def both(v):\n    return half(twice(v))")
    notebook.run("%%kf_component make\nbox = Box(both)")
    notebook.run("%%kf_component use --output v\nv = box.v(5)")
    assert result(notebook, "make", "use") == {"v": 5}


def test_a_function_stays_the_steps_own(notebook: Shell) -> None:
    notebook.run("%%kf_component make\nbox = Box(twice)")
    notebook.run("%%kf_component use --output v\nv = box.v is twice")
    assert result(notebook, "make", "use") == {"v": True}


def test_a_figure_costs_a_cell_next_to_nothing(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.setenv("MPLBACKEND", "agg")
    shell.run("import matplotlib.pyplot as plt")
    draw = "fig, axes = plt.subplots(3, 4)\nfor ax in axes.flat:\n    ax.hist(range(50))"
    shell.run(draw)
    shell.run("%%kf_component other\nfigure = plt.figure()")  # imports what components need
    plain = calls_of(lambda: shell.run(draw))
    component = calls_of(lambda: shell.run(f"%%kf_component draw\n{draw}"))
    assert component < 2 * plain


def calls_of(run: Callable[[], object]) -> int:
    """How many functions were called: what it costs, however busy the machine is."""
    profile = cProfile.Profile()
    profile.runcall(run)
    return sum(entry.callcount for entry in profile.getstats())


def test_a_figure_and_its_axes_that_are_drawn_on_later_are_said_to_be_apart(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.setenv("MPLBACKEND", "agg")
    shell.run("import matplotlib.pyplot as plt")
    shell.run("%%kf_component draw\nfig, ax = plt.subplots()")
    shell.run('%%kf_component save\nax.plot([1, 2])\nfig.savefig("f.png")')
    assert "share an object here" in " ".join(shell.component("save").notes)
