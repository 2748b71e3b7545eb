import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from kfnb.errors import NotebookError
from kfnb.execute.plan import make_folders, make_plan


@pytest.fixture
def write(tmp_path):
    """Write a notebook at a path below tmp_path."""

    def write(name, *sources, **metadata):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(
            new_notebook(cells=[new_code_cell(source) for source in sources], metadata=metadata), path
        )
        return path

    return write


def plan(*paths, output_dir, html=False, **parameters):
    return make_plan(paths, parameters, output_dir, html=html)


def test_outputs_keep_the_names_of_notebooks(write, tmp_path):
    jobs = plan(write("a/x.ipynb"), write("b/y.v1.ipynb"), output_dir=tmp_path / "out", html=True)
    assert [job.output for job in jobs] == [tmp_path / "out/x.ipynb", tmp_path / "out/y.v1.ipynb"]
    assert [job.html for job in jobs] == [tmp_path / "out/x.html", tmp_path / "out/y.v1.html"]


def test_notebooks_of_one_name_are_kept_apart(write, tmp_path):
    jobs = plan(write("p/a/x.ipynb"), write("p/b/x.ipynb"), write("p/y.ipynb"), output_dir=tmp_path / "out")
    out = tmp_path / "out"
    assert [job.output for job in jobs] == [out / "a/x.ipynb", out / "b/x.ipynb", out / "y.ipynb"]


def test_a_notebook_is_not_overwritten(write, tmp_path):
    with pytest.raises(NotebookError, match="would be overwritten"):
        plan(write("x.ipynb"), output_dir=tmp_path)


def test_a_notebook_is_not_executed_twice_at_once(write, tmp_path):
    path = write("x.ipynb")
    with pytest.raises(NotebookError, match="is given more than once"):
        plan(path, path.parent / "." / "x.ipynb", output_dir=tmp_path / "out")


def test_each_notebook_gets_the_parameters_that_it_declares(write, tmp_path):
    first = write("a.ipynb", "%%kf_parameters\nrows = 1")
    second = write("b.ipynb", "%%kf_component train --param C:float=1.0\nrows = 1")
    jobs = plan(first, second, output_dir=tmp_path / "out", rows=5, C=2.0)
    assert [job.parameters for job in jobs] == [{"rows": 5}, {"C": 2.0}]


def test_a_python_kernel_that_is_not_here_is_this_python(write, tmp_path):
    path = write("x.ipynb", kernelspec={"name": "someones-conda", "display_name": "", "language": "python"})
    assert plan(path, output_dir=tmp_path / "out")[0].kernel == "python3"


def test_another_language_needs_its_kernel(write, tmp_path):
    path = write("x.ipynb", kernelspec={"name": "no-such-ir", "display_name": "R", "language": "R"})
    with pytest.raises(
        NotebookError, match=r"requires the kernel 'no-such-ir' \(R\), which is not installed"
    ):
        plan(path, output_dir=tmp_path / "out")


def test_a_notebook_that_does_not_exist_is_named(write, tmp_path):
    write("x.ipynb")
    with pytest.raises(NotebookError, match=r"none\.ipynb does not exist$"):
        plan(tmp_path / "none.ipynb", output_dir=tmp_path / "out")
    with pytest.raises(NotebookError, match=r"x does not exist; did you mean .*x\.ipynb\?"):
        plan(tmp_path / "x", output_dir=tmp_path / "out")
    with pytest.raises(NotebookError, match="no notebook given"):
        plan(output_dir=tmp_path / "out")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"[]",
        b"{}",
        b"3",
        json.dumps({"cells": 3}).encode(),
        b'{"nbformat": 9}',
        b"\xff\xfe\x00",
    ],
)
def test_what_is_no_notebook_is_refused(tmp_path, content):
    path = tmp_path / "x.ipynb"
    path.write_bytes(content)
    with pytest.raises(NotebookError, match=r"x\.ipynb is not a notebook"):
        plan(path, output_dir=tmp_path / "out")


def test_a_folder_and_another_file_are_refused(tmp_path):
    (tmp_path / "run.py").write_text("1")
    with pytest.raises(NotebookError, match="is a folder"):
        plan(tmp_path, output_dir=tmp_path / "out")
    with pytest.raises(NotebookError, match=r"run\.py is not a notebook"):
        plan(tmp_path / "run.py", output_dir=tmp_path / "out")


def test_an_output_folder_that_cannot_be_made_is_named(write, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotebookError, match=r"cannot create .*file: File exists"):
        make_folders(plan(write("x.ipynb"), output_dir=tmp_path / "file"))
