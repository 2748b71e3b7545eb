"""IPython's own syntax in a cell, and what becomes of it in a step."""

from __future__ import annotations

import subprocess

import pytest

from kfnb.capture.shell_syntax import shell_text, translate


@pytest.mark.parametrize(
    ("cell", "python"),
    [
        ("!ls", "subprocess.run('ls', shell=True, check=False)"),
        ("%matplotlib inline", "None"),
        ("%time x = f(1)", "x = f(1)"),
        ("x = %time f(1)", "x = f(1)"),
        ("%timeit f()", "None"),
        ("df.head?", "None"),
        ("%pip install x", "None"),
        ("%%time\nx = 1", "\nx = 1"),
        ("x = 1", "x = 1"),
    ],
)
def test_commands_become_python(cell: str, python: str) -> None:
    assert translate(cell).text == python


def test_lines_keep_their_numbers() -> None:
    text = translate(
        "\n\n%matplotlib inline\nfiles = !ls \\\n   -l\n\nx = '''\n  ?\n'''\n!echo é; y = 1"
    ).text.split("\n")
    assert (text[2], text[6:9], text[3].split(".")[0]) == (
        "None",
        ["x = '''", "  ?", "'''"],
        "files = subprocess",
    )


@pytest.mark.parametrize(
    ("cell", "refused"),
    [
        ("x = 1\n%cd /tmp", {2: "%cd"}),
        ("%sql select 1", {1: "%sql"}),
        ("%%sql\nselect 1", {1: "%%sql"}),
        ("%%bash --out x\nls", {1: "%%bash"}),
        ("get_ipython().set_next_input('x')", {1: "get_ipython().set_next_input()"}),
    ],
)
def test_magics_that_cannot_travel_are_refused_by_line(cell: str, refused: dict[int, str]) -> None:
    assert translate(cell).refused == refused


@pytest.mark.parametrize(
    ("command", "runs"),
    [
        ("echo {x} {d['a']} $y", "echo 5 [1] why"),
        ('echo "{y[1:]}" {y!r}', "echo \"hy\" 'why'"),
        ("echo $$HOME $y '$y'", "echo $HOME why '$y'"),
        ("echo $HOME $y", "echo $HOME $y"),
        ("echo {nope} $y", "echo {nope} $y"),
        ("echo $URL", "echo http"),
        ("awk '{print $1}'", "awk '{print $1}'"),
        ("echo {", "echo {"),
        ("echo {{x}}", "echo {x}"),
        ("""echo '"\\n"' {x}""", """echo '"\\n"' 5"""),
    ],
)
def test_names_are_filled_in_as_ipython_does(command: str, runs: str) -> None:
    names = {"x": 5, "y": "why", "d": {"a": [1]}, "URL": "http"}
    assert eval(shell_text(command, frozenset(names)), names) == runs


def test_commands_run_here_and_in_a_pipeline(agree, shell, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(shell.ip, "enable_matplotlib", lambda *_: ("inline", "inline"), raising=False)
    (tmp_path / "beside.txt").write_text("data é")
    agree(
        "URL = 'addr'\nwords = ['a', 'b']",
        "%%kf_component commands --output out\n%matplotlib inline\nprint?\n"
        "name = 'x y'\nout = !echo $URL {words[1]} \"$name\" $$HOME_NOT_SET; echo two\nout = list(out)\n!echo done\n",
        (
            "%%kf_component reads --output text\n"
            "with open('beside.txt', encoding='utf-8') as file:\n    text = file.read()\n"
        ),
        "%%kf_component times --output timed\n%time timed = sum([1, 2])\n",
    )
    assert shell["out"] == ["addr b x y", "two"]
    assert shell.component("reads").files.reads == {"beside.txt"}


def test_the_translation_is_what_the_shell_gets(tmp_path) -> None:
    code = translate("out = !printf 'a\\nb'").text
    names = {"subprocess": subprocess}
    exec(code, names)
    assert names["out"] == ["a", "b"]
