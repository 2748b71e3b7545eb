"""What is said of a step that does not find a file."""

from pathlib import Path

import pytest

from kfnb.entities import TaskError
from kfnb.resources.runs.missing_files import with_advice

ERROR = TaskError("FileNotFoundError", place="cell r, line 1")


def said(message, kind="FileNotFoundError", error=ERROR, **where):
    told = with_advice(error, {"type": kind, "message": message}, **where).message
    return told.removeprefix("FileNotFoundError").removeprefix(". ")


@pytest.mark.parametrize(
    "message",
    [
        "[Errno 2] No such file or directory: 'd/x.csv'",
        "[Errno 2] Failed to open local file 'd/x.csv'. Detail: [errno 2] No such file or directory",
        "No such file or directory (os error 2): d/x.csv",
    ],
)
def test_whatever_opens_it_the_file_is_named_with_what_to_do(message, tmp_path):
    assert said(message).startswith("If d/x.csv is in the notebook's folder, the cell did not use it")
    assert not said(message, notebook=tmp_path)
    (tmp_path / "d").mkdir()
    (tmp_path / "d/x.csv").touch()
    assert said(message, notebook=tmp_path).startswith(
        "d/x.csv is in the notebook's folder, but the cell did not"
    )


def test_a_whole_path_in_the_steps_own_folder_is_one_of_the_notebooks(tmp_path):
    (tmp_path / "x.csv").touch()
    message = "[Errno 2] No such file or directory: '/runs/1/work/x.csv'"
    assert said(message, notebook=tmp_path, own=Path("/runs/1/work")).startswith("x.csv is in the notebook")


def test_a_hidden_file_is_told_to_stay_here():
    assert ".cache/x is hidden" in said("[Errno 2] No such file or directory: '.cache/x'")


def test_of_other_errors_and_other_programs_nothing_is_said():
    message = "[Errno 2] No such file or directory: 'x.csv'"
    assert not said(message, kind="PermissionError")
    assert not said(message, error=TaskError("FileNotFoundError"))
    assert not said("[Errno 2] No such file or directory: '/elsewhere/x.csv'")
    assert not said("gone")
