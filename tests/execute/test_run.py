"""Notebooks in real kernels; each costs seconds, so that one execution is looked at from several sides."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from kfnb.cli import main
from kfnb.execute.runner import run_notebooks


@pytest.fixture
def write(tmp_path):
    """Write a notebook at a path below tmp_path; a cell is its source, or its source and its tags."""

    def write(name, *cells):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pairs = [(cell, []) if isinstance(cell, str) else cell for cell in cells]
        nodes = [new_code_cell(source, metadata={"tags": tags}) for source, tags in pairs]
        nbformat.write(new_notebook(cells=nodes), path)
        return path

    return write


def texts(notebook):
    return ["".join(output.get("text", "") for output in cell.get("outputs", ())) for cell in read(notebook)]


def read(notebook):
    return nbformat.read(notebook, as_version=4).cells


def test_a_notebook_is_executed_by_this_python_where_it_lies(write, tmp_path):
    source = write(
        "sub {x}/a b.ipynb",
        ("rows = 3", ["parameters"]),
        "import os, sys\nprint(sys.executable, os.getcwd(), os.environ['JPY_SESSION_NAME'], rows, sep='|')",
        ("1 / 0", ["raises-exception"]),
        "print('end')",
    )
    seen = []
    (result,) = run_notebooks(
        [source], parameters={"rows": 50}, output_dir=tmp_path / "o{u}t", html=True, on_progress=seen.append
    )
    assert result.succeeded
    assert result.message == ""
    assert result.output == tmp_path / "o{u}t" / "a b.ipynb"
    assert f"{sys.executable}|{source.parent}|{source}|50\n" in texts(result.output)
    assert texts(result.output)[-1] == "end\n"
    assert len(read(result.output)) == 5  # and none that speaks of an error
    assert "end" in result.html.read_text()
    assert [item.done for item in seen] == [0, 1, 2, 3, 4, 5, 4]
    assert seen[-1].result == result


def test_a_failing_notebook_is_told_of_and_kept_and_others_finish(write, tmp_path, capsys):
    bad = write(
        "bad.ipynb", "print('before')", "# the step\nraise ValueError('no \\x1b[31msuch\\x1b[0m column')", "1"
    )
    usage = write("usage.ipynb", "%nosuch magic")
    good = write("good.ipynb", "print('fine')")
    report = tmp_path / "reports/r.xml"
    out = tmp_path / "out"
    code = main(
        [
            "run",
            str(bad),
            str(usage),
            str(good),
            "--jobs",
            "3",
            "--output-dir",
            str(out),
            "--junit",
            str(report),
        ]
    )
    assert code == 1
    printed = capsys.readouterr()
    assert printed.out.split() == [str(out / name) for name in ("bad.ipynb", "usage.ipynb", "good.ipynb")]
    assert "cell [2]: # the step\n  ValueError: no such column\n" in printed.err
    assert "cell [1]: %nosuch magic\n  UsageError: Line magic function `%nosuch` not found." in printed.err
    assert "good.ipynb: succeeded" in printed.err
    assert "before\n" in texts(out / "bad.ipynb")
    root = ET.parse(report).getroot()
    assert (root.attrib["tests"], root.attrib["failures"]) == ("3", "2")
    assert [len(case.findall("failure")) for case in root.iter("testcase")] == [1, 1, 0]
    failure = next(root.iter("failure"))
    assert failure.attrib["message"] == "cell [2]: # the step\n  ValueError: no such column"
    assert "Traceback" in failure.text


def test_a_kernel_that_dies_is_told_of_and_what_ran_is_kept(write, tmp_path):
    source = write("dead.ipynb", "print('before')", "import os\nos._exit(3)", "1")
    (result,) = run_notebooks([source], output_dir=tmp_path / "out", html=True)
    assert result.message == "cell [2]: import os\n  the kernel exited unexpectedly"
    assert result.failure.index == 1
    assert texts(result.output)[0] == "before\n"
    assert "before" in result.html.read_text()


def test_a_notebook_may_end_itself(write, tmp_path):
    source = write("exit.ipynb", "import sys\nsys.exit()", "print('never')")
    (result,) = run_notebooks([source], output_dir=tmp_path / "out")
    assert result.succeeded
    assert texts(result.output)[-1] == ""


def test_a_file_beside_the_notebook_does_not_get_in_the_way(write, tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text("raise RuntimeError('not me')")
    (tmp_path / "papermill.py").write_text("raise RuntimeError('not me')")
    monkeypatch.chdir(tmp_path)
    source = write("x.ipynb", "1")
    (result,) = run_notebooks([source.relative_to(tmp_path)], output_dir=Path("out"))
    assert result.succeeded


def test_wrong_use_is_one_line_and_runs_nothing(write, tmp_path, capsys):
    source = write("x.ipynb", "1")
    out = tmp_path / "out"
    assert main(["run", str(source), "-p", "rows", "5", "--output-dir", str(out)]) == 2
    assert main(["run", str(tmp_path / "none.ipynb"), "--output-dir", str(out)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("kfnb run: no cell declares a parameter 'rows'")
    assert lines[1].endswith("none.ipynb does not exist")
    assert not out.exists()


@pytest.mark.parametrize("jobs", ["0", "-1", "x", "1.5"])
def test_a_number_of_jobs_is_one(capsys, jobs):
    assert main(["run", "x.ipynb", "--jobs", jobs]) == 2
    assert f"{jobs!r} is not a positive integer" in capsys.readouterr().err


@pytest.mark.parametrize(
    "how",
    [signal.SIGINT, *(pytest.param(how, marks=pytest.mark.slow) for how in (signal.SIGTERM, signal.SIGKILL))],
)
def test_an_interrupted_command_leaves_no_kernel_behind(write, tmp_path, how):
    pid_file = tmp_path / "pid"
    source = write(
        "slow.ipynb",
        f"import os, pathlib\npathlib.Path({str(pid_file)!r}).write_text(str(os.getpid()))\nprint('before')",
        "import time\ntime.sleep(300)",
    )
    program = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    program += "from kfnb.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", program, "run", str(source), "--output-dir", str(tmp_path / "out")]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True) as process:
        wait_until(lambda: pid_file.exists() and pid_file.read_text())
        wait_until(lambda: "before" in (tmp_path / "out/slow.ipynb").read_text())
        os.kill(process.pid, how)
        code = process.wait(30)
    assert code == {signal.SIGINT: 130}.get(how, -how)
    wait_until(lambda: not psutil.pid_exists(int(pid_file.read_text())))
    wait_until(lambda: is_whole(tmp_path / "out/slow.ipynb"))  # a killed command does not wait for its worker
    assert texts(tmp_path / "out/slow.ipynb")[0] == "before\n"


def is_whole(notebook):
    try:
        return bool(read(notebook))
    except nbformat.reader.NotJSONError:
        return False


def wait_until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)
