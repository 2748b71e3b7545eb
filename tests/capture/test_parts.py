"""Components of several cells."""

from __future__ import annotations

import pytest

import kfnb
from kfnb.errors import RunFailed
from tests.conftest import Shell


@pytest.fixture
def parts(shell: Shell) -> Shell:
    """A component ``train`` of three cells."""
    shell.run("K = 2\ndef twice(v):\n    return K * v")
    shell.run("%%kf_component load\nrows = [1, 2, 3]")
    shell.run("%%kf_component train --param n:int=1\ntotal = sum(rows) * n", cell_id="a")
    shell.run(
        "%%kf_component train --continue --output best\nbest = twice(total)\nrows.append(best)", cell_id="b"
    )
    shell.run(
        "%%kf_component train --continue --param top:int=9\nlast = min(best + rows[0], top)", cell_id="c"
    )
    shell.run("%%kf_component use --output seen\nseen = [last, len(rows)]")
    shell.run("%kf_pipeline p load train use")
    return shell


def test_the_cells_are_one_step(parts: Shell) -> None:
    assert parts.component("train").notes == ()
    run = parts.submit("p")
    assert run.outputs["train"]["best"] == parts["best"] == 12
    assert run.outputs["use"] == {"seen": parts["seen"]} == {"seen": [9, 4]}
    assert parts.submit("p", n=0, top=5).outputs["use"] == {"seen": [1, 4]}


def test_a_cell_that_runs_again_takes_its_own_parts_place(
    parts: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    parts.run(
        "%%kf_component train --continue --output best\nbest = total + 1\nrows.append(best)", cell_id="b"
    )
    assert parts.submit("p").outputs["train"]["best"] == 7
    capsys.readouterr()
    parts.run("%%kf_component train --param n:int=1\ntotal = 10 * n", cell_id="a")
    assert "note: train still includes cell [" in capsys.readouterr().out
    assert parts.submit("p").outputs["train"]["best"] == 11


def test_a_failure_is_told_by_the_cell_and_line_that_it_came_from(parts: Shell) -> None:
    number = parts.ip.execution_count
    parts.run("%%kf_component train --continue --output best\n\nbest = 12 // (n if n else 0)", cell_id="b")
    with pytest.raises(RunFailed):
        parts.submit("p", n=0)
    (run,) = kfnb.runs()
    (error,) = [task.error for task in kfnb.run(run.id).snapshot().tasks if task.error is not None]
    assert error.place == f"cell train [{number}], line 3"


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("%%kf_component other --continue\nx = 1", "no component other to continue"),
        ("%%kf_component train --continue --cpu 2\nx = 1", "move the rest to the first cell of train"),
        (
            "%%kf_component train --continue --param n:int=4\nx = n",
            "n is already a parameter of train: remove --param n here",
        ),
        ("%%kf_component f --continue\nx = 1", "f is a single function, which another cell cannot continue"),
        ("%%kf_component train --continue\nx = nothing", "line 2: nothing is not defined by any cell"),
    ],
)
def test_what_cannot_be_continued_says_so(parts: Shell, cell: str, message: str) -> None:
    parts.run("%%kf_component f\ndef f(v: int = 3) -> int:\n    return v")
    assert message in parts.fails(cell)


def test_where_every_cell_runs_once_a_component_may_have_several(shell: Shell) -> None:
    shell.kernel.notebook.linear = True
    shell.run("%%kf_component a\nx = 1")
    shell.run("%%kf_component a --continue\ny = x + 1")
    shell.run("%%kf_component a --continue --output z\nz = x + y")
    shell.run("%kf_pipeline p a")
    assert shell.submit("p").result == {"z": 3}
    assert "is already defined by cell a [" in shell.fails("%%kf_component a\nx = 2")
