"""Cell magics of others above or below ``%%kf_component``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Shell

X = {
    "time below": "%%kf_component a --output x\n%%time\nx = 1",
    "time above": "%%time\n%%kf_component a --output x\nx = 1",
    "capture below": "%%kf_component a --output x\n\n%%capture out\nx = 1",
    "both": "%%capture\n%%kf_component a \\\n  --output x\n%%time\nx = 1",
}


@pytest.mark.parametrize("cell", X.values(), ids=X)
def test_time_and_capture_do_no_harm(shell: Shell, cell: str) -> None:
    shell.run(cell)
    shell.run("%kf_pipeline p a")
    assert shell["x"] == 1
    assert shell.component("a").cell.code.text.count("\n") == cell.count("\n")
    assert shell.submit("p").result == {"x": 1}


def test_what_they_would_have_done_is_said(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run(X["capture below"])
    assert (
        "note: %%capture has no effect in a component: the cell's output is shown" in capsys.readouterr().out
    )
    shell.run(X["time above"])
    assert "Wall time: " in capsys.readouterr().out


def test_an_error_below_time_is_the_cells(shell: Shell) -> None:
    result = shell.ip.run_cell("%%time\n%%kf_component a\n\n1 / 0")
    assert isinstance(result.error_in_exec, ZeroDivisionError)
    assert "a" not in shell.kernel.notebook.components


@pytest.mark.parametrize(
    "cell",
    [
        "%%kf_component a\n%%bash\necho one > made.txt\necho two >> made.txt",
        "%%bash\n%%kf_component a\necho one > made.txt\necho two >> made.txt",
        "%%kf_component a\n%%writefile made.txt\none\ntwo",
        "%%kf_component a\n%%writefile {NAME}\none\ntwo",
    ],
)
def test_bash_and_writefile_travel(shell: Shell, cell: str) -> None:
    shell.run("NAME = 'made.txt'")
    shell.run(cell)
    shell.run("%%kf_component b --output text\nimport pathlib\ntext = pathlib.Path('made.txt').read_text()")
    shell.run("%kf_pipeline p a b")
    made = Path("made.txt").read_text()
    assert made.split() == ["one", "two"]
    Path("made.txt").unlink()
    shell.run("%%kf_pipeline q\nfirst = a()\nb().after(first)")
    assert shell.submit("q").result == {"text": made}


def test_a_step_whose_bash_fails_fails(shell: Shell) -> None:
    shell.run("import os\nos.environ['CODE'] = '0'")
    shell.run("%%kf_component a\n%%bash\nexit $CODE")
    shell.run("import os\nos.environ['CODE'] = '3'")
    shell.run("%kf_pipeline p a")
    with pytest.raises(Exception, match="returned non-zero exit status 3"):
        shell.submit("p")
