import io
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfnb.errors import NotebookError
from kfnb.execute.junit import write_report
from kfnb.execute.progress import ProgressText
from kfnb.execute.result import NotebookFailure, NotebookProgress, NotebookResult


def ended(name, failure=None):
    return NotebookResult(Path(name), Path("out") / name, None, 1.25, failure)


@given(error=st.text(), traceback=st.text())
def test_a_report_is_xml_whatever_a_notebook_said(tmp_path_factory, error, traceback):
    path = tmp_path_factory.getbasetemp() / "report.xml"
    failure = NotebookFailure(error, cell="cell [1]", index=0, line="x\x00\x1b", traceback=traceback)
    write_report([ended("a.ipynb", failure), ended("b.ipynb")], path)
    root = ET.parse(path).getroot()
    assert root.attrib["failures"] == "1"
    assert [suite.attrib["name"] for suite in root] == ["a.ipynb", "b.ipynb"]


def test_a_report_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(NotebookError, match="cannot write the report"):
        write_report([], tmp_path)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_outside_a_terminal_progress_is_lines():
    stream = io.StringIO()
    show = ProgressText(stream)
    for done in range(3):
        show(NotebookProgress(Path("a.ipynb"), done, 3))
    show(NotebookProgress(Path("a.ipynb"), 3, 3, ended("a.ipynb")))
    assert stream.getvalue() == "a.ipynb: 0 of 3 cells\na.ipynb: succeeded in 1.2 s\n"


def test_in_a_terminal_one_line_tells_of_all_that_run(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    stream = Terminal()
    show = ProgressText(stream)
    show(NotebookProgress(Path("x/a.ipynb"), 1, 3))
    show(NotebookProgress(Path("x/b.ipynb"), 0, 2))
    show(
        NotebookProgress(
            Path("x/a.ipynb"), 3, 3, ended("x/a.ipynb", NotebookFailure("boom", "cell [2]", 1, "f()"))
        )
    )
    shown = stream.getvalue().split("\r\x1b[2K")
    assert shown[1:] == [
        "a.ipynb 1/3",
        "a.ipynb 1/3  b.ipynb 0/2",
        "x/a.ipynb: failed after 1.2 s, cell [2]: f()\n  boom\nb.ipynb 0/2",
    ]
