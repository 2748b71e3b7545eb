"""Set-up cells: their code stands at the top of every later step."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Shell
from tests.pipeline.launched import launch

SET_UP = """%%kf_setup
import random
import warnings
from collections import Counter
random.seed(SEED)
warnings.filterwarnings("error", message="loud")
Counter.loud = lambda self: "loud"
def draw():
    return random.random()
lock = __import__("threading").Lock()"""


def test_a_set_up_cell_runs_in_the_notebook_and_before_every_later_step(shell: Shell, agree) -> None:
    shell.run("SEED = 4")
    shell.run(SET_UP)
    assert shell["SEED"] == 4
    run = agree(
        "%%kf_component a --output x --output loud\nx, loud = draw(), Counter().loud()\nwith lock:\n    pass",
        "%%kf_component b --output y\nimport warnings\ntry:\n    warnings.warn('loud')\n    y = 0\n"
        "except UserWarning:\n    y = 1",
    )
    assert run.outputs["b"] == {"y": 1}


def test_its_text_comes_after_what_it_needs_and_before_what_the_cell_needs(shell: Shell) -> None:
    shell.run("import math\nSEED = 4\nother = 5\ndef twice(v):\n    return 2 * v")
    shell.run("%%kf_setup\nimport random\nrandom.seed(twice(SEED))")
    shell.run("%%kf_component a\nx = other")
    source = shell.run("%kf_show a").source
    places = [
        source.index(text) for text in ("SEED = 4", "def twice", "random.seed(twice(SEED))", "other = 5")
    ]
    assert places == sorted(places)
    assert "import math" not in source


def test_steps_before_it_are_as_they_were(shell: Shell) -> None:
    shell.run("%%kf_component a\nx = 1")
    shell.run("%%kf_setup\nimport random\nrandom.seed(1)")
    assert "random" not in shell.run("%kf_show a").source


def test_a_set_up_cell_that_failed_is_none_of_the_steps(
    shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.ip.run_cell("%%kf_setup\nfirst = 7\n1 / 0", store_history=True, cell_id="s")
    assert "failed: steps do not run it" in capsys.readouterr().out
    shell.run("%%kf_component a --output x\nx = first")
    shell.run("%kf_pipeline p a")
    assert shell.submit("p").outputs["a"] == {"x": shell["x"]} == {"x": 7}


def test_a_set_up_cell_that_fails_after_it_was_edited_is_as_it_ran_before(
    shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run("%%kf_setup\nimport random\nrandom.seed(1)", cell_id="s")
    shell.ip.run_cell("%%kf_setup\nimport random\nrandom.seed(2)\n1 / 0", store_history=True, cell_id="s")
    assert "failed: steps run it as it ran before" in capsys.readouterr().out
    shell.run("%%kf_component a\nx = random.random()", cell_id="a")
    assert "random.seed(1)" in shell.run("%kf_show a").source
    assert "1 / 0" not in shell.run("%kf_show a").source


def test_a_set_up_cell_that_was_edited_takes_its_own_place(shell: Shell) -> None:
    shell.run("%%kf_setup\nimport random\nrandom.seed(1)", cell_id="s")
    shell.run("%%kf_component a\nx = random.random()", cell_id="a")
    shell.run("%%kf_setup\nimport random\nrandom.seed(2)", cell_id="s")
    source = shell.run("%kf_show a").source
    assert "random.seed(2)" in source
    assert "random.seed(1)" not in source
    shell.run("import random", cell_id="s")
    assert "random.seed" not in shell.run("%kf_show a").source


def test_modules_of_a_folder_that_it_puts_on_the_path_travel(shell: Shell, tmp_path: Path) -> None:
    Path("lib").mkdir()
    Path("lib/tools.py").write_text("import deeper\ndef triple(v):\n    return deeper.times(v, 3)\n")
    Path("lib/deeper.py").write_text("def times(v, n):\n    return n * v\n")
    shell.run("%%kf_setup\nimport sys\nsys.path.append('lib')")
    try:
        shell.run("from tools import triple")
        shell.run("%%kf_component a --output x\nx = triple(2)")
        shell.run("%kf_pipeline p a")
        assert shell.submit("p").result == {"x": 6}
        (tmp_path / "there").mkdir()
        assert launch("p", "a", tmp_path / "there").parameters == {"x": 6}
    finally:
        shell.run("sys.path.remove('lib')\nfor name in ('tools', 'deeper'):\n    sys.modules.pop(name, None)")


def test_a_value_that_a_component_changes_is_an_output_of_it(shell: Shell, agree) -> None:
    shell.run("%%kf_setup\nfrom collections import defaultdict\nseen = defaultdict(list)")
    agree(
        "%%kf_component a --output n\nseen['a'].append(1)\nn = len(seen)",
        "%%kf_component b --output m\nseen['b'].append(2)\nm = sorted(seen)",
    )


def test_an_input_may_be_called_as_a_name_that_it_binds(shell: Shell) -> None:
    shell.run("%%kf_setup\nrows, frame = 1, {1}")
    shell.run("%%kf_component a\nrows, frame = 2, {2, 3}")
    shell.run("%%kf_component b --output both\nboth = rows + len(frame)")
    shell.run("%kf_pipeline p a b")
    assert shell.submit("p").result == {"both": 4}


def test_a_function_component_has_it_too(shell: Shell) -> None:
    shell.run("%%kf_setup\nimport math\nSCALE = math.floor(2.5)")
    shell.run("%%kf_component f\ndef f(v: int = 3) -> int:\n    return SCALE * v")
    shell.run("%kf_pipeline p f")
    assert shell.submit("p").outputs["f"] == {"Output": 6}


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("%%kf_setup\n%sql select 1", "cell [2], line 2: %sql cannot be used in a set-up cell"),
        (
            "%%kf_setup\nimport asyncio\nawait asyncio.sleep(0)",
            "cell [2], line 3: a set-up cell cannot await",
        ),
        ("%%kf_setup now\nx = 1", "unexpected argument now"),
    ],
)
def test_what_it_cannot_hold_is_refused_where_it_stands(shell: Shell, cell: str, message: str) -> None:
    shell.run("x = 1")
    assert message in shell.fails(cell)


def test_it_cannot_need_what_a_step_makes(shell: Shell) -> None:
    shell.run("%%kf_component a\nx = 1")
    shell.run("%%kf_setup\ny = x + 1")
    assert "set-up cell [2] reads x, which component a defines" in shell.fails("%%kf_component b\nz = 1")


def test_a_cell_tagged_imports_or_functions_is_one(shell: Shell, tmp_path: Path) -> None:
    from kfnb.capture.notebook import ExecutedNotebook
    from kfnb.capture.notebook_file import NotebookFile
    from kfnb.capture.setup import TAGS

    sources = {"imports": "import math\nmath.tau", "functions": "def f():\n    return 1", "skip": "x = 1"}
    cells = [
        {"cell_type": "code", "source": [*text.splitlines(keepends=True)], "metadata": {"tags": [tag]}}
        for tag, text in sources.items()
    ]
    (tmp_path / "n.ipynb").write_text(json.dumps({"cells": cells}))
    found = NotebookFile(tmp_path / "n.ipynb").tagged(*TAGS)
    notebook = ExecutedNotebook({"math": 1, "f": 1, "x": 1}, tmp_path, set_up=found)
    for number, text in enumerate(sources.values()):
        notebook.record(notebook.cell(text, number, str(number)))
    assert [cell.raw for cell in notebook.setups(9)] == [sources["imports"], sources["functions"]]
