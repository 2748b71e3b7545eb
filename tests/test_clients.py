"""Whatever executes a notebook without a person before it: `%kf_submit` waits, and a failed run fails the notebook."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from kfnb.cli import main

GOOD = [
    "%load_ext kfnb",
    "%%kf_component load --param rows:int=3\nxs = list(range(rows))",
    "%%kf_component total --output n\nn = sum(xs)",
    "%kf_pipeline p load total",
    "%kf_submit p -o run",
    "print('state', run.state, 'n', run.result['n'], 'kernel', n)",
]

BAD = [
    "%load_ext kfnb",
    "%%kf_component load --param k:int=1\nxs = 1 // k",
    "%kf_pipeline p load",
    "%kf_submit p --k 0 -o run",
    "print('never reached')",
]

Client = list[str]
CLIENTS: dict[str, Client] = {
    "papermill": ["papermill", "in.ipynb", "out.ipynb"],
    "nbconvert": ["nbconvert", "--to", "notebook", "--execute", "--output", "out.ipynb", "in.ipynb"],
    "nbmake": ["pytest", "--nbmake", "--overwrite", "-p", "no:cacheprovider", "in.ipynb"],
    "kfnb run": ["kfnb.cli", "run", "in.ipynb", "--output-dir", "out"],
}


def write(path: Path, cells: list[str], *, tagged: int | None = None) -> Path:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    if tagged is not None:
        notebook.cells[tagged].metadata["tags"] = ["parameters"]
    nbformat.write(notebook, path)
    return path


def execute(client: Client, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "KFNB_HOME": str(folder / "home"), "JUPYTER_PLATFORM_DIRS": "1"}
    return subprocess.run(
        [sys.executable, "-m", *client],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def executed(folder: Path) -> str:
    """The text of the executed notebook, wherever the client left it."""
    for path in (folder / "out.ipynb", folder / "out" / "in.ipynb", folder / "in.ipynb"):
        if path.exists():
            return path.read_text()
    raise AssertionError(list(folder.iterdir()))


@pytest.mark.parametrize("client", CLIENTS)
def test_submit_waits_so_that_the_next_cell_has_the_results(client: str, tmp_path: Path) -> None:
    write(tmp_path / "in.ipynb", GOOD)
    done = execute(CLIENTS[client], tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "state SUCCEEDED n 3 kernel 3" in executed(tmp_path)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_failed_run_fails_the_notebook_in_the_users_words(client: str, tmp_path: Path) -> None:
    write(tmp_path / "in.ipynb", BAD)
    done = execute(CLIENTS[client], tmp_path)
    assert done.returncode != 0
    told = done.stdout + done.stderr
    assert "ZeroDivisionError" in told
    assert "cell load [2], line 2" in told
    assert "never reached" not in done.stdout.replace("print('never reached')", "")
    assert "kfnb/ipython/" not in told


def test_a_parameter_given_to_papermill_reaches_the_component(tmp_path: Path) -> None:
    write(tmp_path / "in.ipynb", GOOD)
    done = execute(["papermill", "in.ipynb", "out.ipynb", "-p", "rows", "5"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert "state SUCCEEDED n 10 kernel 10" in executed(tmp_path)


def test_a_cell_tagged_parameters_makes_parameters_of_the_pipeline(tmp_path: Path) -> None:
    cells = ["rows = 3", "%load_ext kfnb", "%%kf_component load --output n\nn = rows * 2"]
    cells += [
        "%kf_pipeline p load",
        "%kf_submit p --rows 10 -o run",
        "print('n', run.result['n'], 'kernel', n)",
    ]
    write(tmp_path / "in.ipynb", cells, tagged=0)
    done = execute([*CLIENTS["kfnb run"], "-p", "rows", "4"], tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "n 20 kernel 8" in executed(tmp_path)


def test_two_notebooks_at_once_with_a_parameter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KFNB_HOME", str(tmp_path / "home"))
    one, two = write(tmp_path / "one.ipynb", GOOD), write(tmp_path / "two.ipynb", GOOD)
    words = [str(one), str(two), "-p", "rows", "6", "--jobs", "2", "--output-dir", str(tmp_path / "out")]
    assert main(["run", *words]) == 0
    for name in ("one", "two"):
        assert "n 15" in (tmp_path / "out" / f"{name}.ipynb").read_text()


def test_a_parameter_that_no_cell_has_is_refused_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook = write(tmp_path / "in.ipynb", GOOD)
    assert main(["run", str(notebook), "-p", "rowz", "6", "--output-dir", str(tmp_path / "out")]) == 2
    assert "rowz" in capsys.readouterr().err
    assert not (tmp_path / "out" / "in.ipynb").exists()


def test_a_parameter_of_a_wrong_type_fails_the_notebook_in_words(tmp_path: Path) -> None:
    cells = ["rows = 3", "%load_ext kfnb", "%%kf_component load --output n\nn = rows * 2"]
    write(tmp_path / "in.ipynb", cells, tagged=0)
    done = execute([*CLIENTS["kfnb run"], "-p", "rows", "many"], tmp_path)
    assert done.returncode == 1
    assert "rows is int in cell [" in done.stderr
    assert "was given as 'many'" in done.stderr
