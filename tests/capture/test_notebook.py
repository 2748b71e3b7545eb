"""What one kernel has executed."""

from __future__ import annotations

from pathlib import Path

import pytest

from kfnb.capture.definitions import DefinitionKind
from kfnb.capture.notebook import ExecutedNotebook


def run(notebook: ExecutedNotebook, raw: str, cell_id: str | None = None) -> None:
    cell = notebook.cell(raw, notebook._order + 1, cell_id)
    exec(cell.code.text, notebook.namespace)
    notebook.record(cell)


def made(
    notebook: ExecutedNotebook, name: str, before: int | None = None
) -> tuple[int, DefinitionKind] | None:
    found = notebook.definition(name, before)
    return (found.cell.order, found.sort) if found else None


def test_the_latest_statement_makes_a_name() -> None:
    notebook = ExecutedNotebook({}, Path())
    run(notebook, "x = 1")
    run(notebook, "x = str(x)")
    assert made(notebook, "x") == (2, DefinitionKind.LIVE)
    assert made(notebook, "x", before=2) == (1, DefinitionKind.LITERAL)
    run(notebook, "del x")
    assert made(notebook, "x") == (3, DefinitionKind.DELETED)


def test_a_function_is_as_in_the_newest_run_of_its_cell() -> None:
    notebook = ExecutedNotebook({}, Path())
    run(notebook, "def f(): return 1", "a")
    run(notebook, "def f(): return 2", "b")
    run(notebook, "def f(): return 3", "a")
    assert made(notebook, "f", before=3) == (2, DefinitionKind.SOURCE)
    assert made(notebook, "f", before=2) == (3, DefinitionKind.SOURCE)


@pytest.mark.parametrize(("linear", "newest"), [(False, 2), (True, 1)])
def test_without_cell_ids_a_function_again_is_an_edit_unless_nobody_edits(linear: bool, newest: int) -> None:
    notebook = ExecutedNotebook({}, Path(), linear=linear)
    run(notebook, "def f(): return 1")
    run(notebook, "def f(): return 2")
    assert made(notebook, "f", before=2) == (newest, DefinitionKind.SOURCE)


def test_statements_that_did_not_run_make_nothing() -> None:
    notebook = ExecutedNotebook({}, Path())
    run(notebook, "if 0:\n    x = 1\nfor y in []: pass\ntry:\n    1 / 0\nexcept ZeroDivisionError as e: pass")
    assert made(notebook, "x") is made(notebook, "y") is made(notebook, "e") is None


def test_a_tagged_cell_makes_parameters() -> None:
    notebook = ExecutedNotebook({}, Path(), tagged=["rows = 5\nurl = 'x'\nimport os"])
    run(notebook, "rows = 5\nurl = 'x'\nimport os\n")
    assert made(notebook, "rows") == (1, DefinitionKind.PARAMETER)
    assert made(notebook, "os") == (1, DefinitionKind.IMPORT)
    assert (notebook.parameters["rows"].type, notebook.parameters["rows"].default) == ("int", 5)


def test_papermills_cell_makes_parameters_of_what_it_was_given() -> None:
    notebook = ExecutedNotebook({}, Path())
    run(notebook, "# Parameters\nrows = 50\n")
    assert notebook.injected == {"rows": 50}


def test_a_cell_that_is_no_python_is_passed_over() -> None:
    notebook = ExecutedNotebook({}, Path())
    notebook.record(notebook.cell("%%bash\nls", 1, None))
    notebook.record(notebook.cell("x = = 1", 1, None))
    assert not notebook.names()


def test_a_module_that_cannot_be_imported_has_no_star_names() -> None:
    assert ExecutedNotebook({}, Path()).star_names("no.such.module") == []
    assert "floor" in ExecutedNotebook({}, Path()).star_names("math")


def test_parameters_are_the_steps_and_the_pipelines(shell) -> None:
    shell.run("%%kf_parameters\nrows = 3\nrate = 1.0\n")
    shell.run("%%kf_component one --param C:float=2.0 --output x\nx = rows * C * rate\n")
    shell.run("%%kf_component two --output y\ny = [x, rows, type(rate).__name__]\n")
    shell.run("%kf_pipeline p one two")
    assert shell.submit("p").result == {"x": 6.0, "y": [6.0, 3, "float"]}
    assert shell.submit("p", rows=4, C=1, rate=2).result == {"x": 8.0, "y": [8.0, 4, "float"]}
