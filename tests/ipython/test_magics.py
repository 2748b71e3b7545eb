"""The magics as a person types them."""

from __future__ import annotations

from pathlib import Path

import pytest

import kfnb
from kfnb import registry
from tests.conftest import Shell


@pytest.fixture
def steps(shell: Shell) -> Shell:
    shell.run("%%kf_component load --param rows:int=3\nxs = list(range(rows))\nprint('loaded', rows)")
    shell.run("%%kf_component total --output n\nn = sum(xs)\nkf.log_metrics(n=n)")
    shell.run("%kf_pipeline p load total")
    return shell


def test_a_component_cell_runs_as_any_cell_does(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    value = shell.run(
        "%%kf_component make --param rows:int=3\nxs = list(range(rows))\nprint('hello')\nlen(xs)"
    )
    assert value == 3
    assert "hello" in capsys.readouterr().out
    assert shell["rows"] == 3


def test_an_error_of_the_users_code_is_the_users_own(shell: Shell) -> None:
    result = shell.ip.run_cell("%%kf_component make\nx = 1\ny = x / 0")
    assert isinstance(result.error_in_exec, ZeroDivisionError)
    frames = []
    traceback = result.error_in_exec.__traceback__
    while traceback:
        frames.append((traceback.tb_frame.f_code.co_filename, traceback.tb_lineno))
        traceback = traceback.tb_next
    assert not any("/kfnb/ipython/" in file for file, _ in frames)
    assert frames[-1][1] == 3  # as the editor counts lines
    assert "make" not in shell.kernel.notebook.components


def test_submit_returns_the_handle_and_binds_it(steps: Shell) -> None:
    run = steps.run("%kf_submit p --rows 4 -o mine")
    assert run is steps["mine"]
    assert run.wait(60).result == {"n": 6}
    assert run.metrics["total"] == {"n": 6}
    assert kfnb.run(run.id).state is kfnb.RunState.SUCCEEDED


def test_expressions_and_names_are_expanded_as_ipython_does(steps: Shell) -> None:
    steps.run("how_many = 5")
    assert steps.run("%kf_submit p --rows {how_many - 1}").arguments["rows"] == 4
    assert steps.run("%kf_submit p --rows $how_many").arguments["rows"] == 5


def test_nobody_before_the_notebook_means_submit_waits(steps: Shell) -> None:
    assert not steps.kernel.attended
    assert steps.run("%kf_submit p").state.finished


def test_a_failed_run_fails_the_cell_with_the_notebooks_own_line(shell: Shell) -> None:
    shell.run("def risky(n):\n    return 10 // n")
    shell.run("%%kf_component divide --param n:int=5\n# a comment\nq = risky(n)")
    shell.run("%%kf_component after\nr = q + 1")
    shell.run("%kf_pipeline p divide after")
    message = shell.fails("%kf_submit p --n 0 -o run")
    assert "ZeroDivisionError" in message
    assert "cell [1], line 2" in message
    assert "after never ran" in message
    task = shell["run"].tasks["divide"]
    assert "cell divide [2], line 3" in task.error.traceback
    assert "kfp" not in task.error.traceback


def test_any_compiled_pipeline_runs(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "sdk.py").write_text(
        "from kfp import dsl\n\n\n@dsl.component(base_image='python:3.11')\ndef add(a: int, b: int = 1) -> int:\n"
        "    return a + b\n\n\n@dsl.pipeline\ndef adds(a: int = 1) -> int:\n    return add(a=add(a=a).output).output\n"
    )
    shell.run("%kf_compile sdk.py --to adds.yaml")
    assert shell.run("%kf_submit adds.yaml --a 40").result["Output"] == 42
    assert shell.run("%kf_submit sdk.py --a 40").result["Output"] == 42


def test_runs_lists_the_newest_first(steps: Shell) -> None:
    first, second = steps.run("%kf_submit p"), steps.run("%kf_submit p --rows 9")
    listed = steps.run("%kf_runs -o mine")
    assert [run.id for run in listed] == [second.id, first.id]
    assert steps["mine"].to_frame()["state"].tolist() == ["SUCCEEDED", "SUCCEEDED"]
    assert len(steps.run("%kf_runs --limit 1")) == 1


def test_logs_are_the_newest_runs_or_those_of_a_run_and_task(
    steps: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    run = steps.run("%kf_submit p --rows 4")
    capsys.readouterr()
    steps.run("%kf_logs")
    assert "load  loaded 4" in capsys.readouterr().out
    steps.run(f"%kf_logs {run.id} load")
    assert capsys.readouterr().out.splitlines()[0] == "loaded 4"


def test_kf_show_of_a_component_is_the_result_and_can_be_silenced(
    steps: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    steps.run("%kf_show load;")
    assert capsys.readouterr().out == ""
    assert steps.run("%kf_show load").name == "load"


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("%%kf_component", "the following arguments are required: name"),
        ("%%kf_component x --parm a:int=1\ny = 1", "unknown option --parm; did you mean --param?"),
        ("%%kf_component x --param a:integer=1\ny = 1", "integer is not a parameter type"),
        ("%%kf_component x --param a=1 --param a=2\ny = 1", "--param a is given more than once"),
        ("%%kf_component x --output y --output y\ny = 1", "--output y is given more than once"),
        ("%%kf_component x --output z\ny = 1", "--output z: cell x"),
        ("%%kf_component 2x\ny = 1", "'2x' is not a valid name for a component"),
        ("%%kf_component x\n", "has no code"),
        ("%%kf_component x\ny = undefined_name", "line 2: undefined_name is not defined by any cell"),
        ("%%kf_component x --param a:int\ny = a", "a has no value here: give a default"),
        ("%%kf_component x --param kf:int=1\ny = kf", "the name kf is reserved for reporting"),
        ("%%kf_component x\n\n%cd /tmp\ny = 1", "line 3: %cd cannot be used in a component"),
        ("%kf_component x", "%%kf_component begins a cell"),
        ("%%kf_parameters\nfor i in range(3): pass", "a parameters cell may only have assignments"),
        ("%kf_submit nothing", "unknown pipeline nothing"),
        ("%kf_submit missing.yaml", "missing.yaml: No such file"),
        ("%kf_submit p --rows many", "rows must be int, not 'many'"),
        ("%kf_submit p --row 3", "p has no parameter row; did you mean rows?"),
        ("%kf_submit load", "load is a component, not a pipeline"),
        ("%kf_submit p --backend moon", "unknown backend moon"),
        ("%kf_submit p -o 2x", "not a valid name"),
        ("%kf_submit p -o class", "not a valid name"),
        ("%kf_logs no-such-run", "no-such-run"),
        ("%kf_show laod", "unknown component or pipeline laod; did you mean the component load?"),
        ("%kf_show pp", "unknown component or pipeline pp; did you mean the pipeline p?"),
        (
            "%kf_submit laod",
            "did you mean the component load? Create a pipeline of it with %kf_pipeline NAME load",
        ),
        ("%kf_tune totl --space x=float(0,1) --objective n --minimize", "did you mean the component total?"),
        ("%kf_submit p --backend locl", "unknown backend locl; did you mean local?"),
        ("%kf_runs --state suceeded", "unknown state suceeded; did you mean SUCCEEDED?"),
    ],
)
def test_bad_input_gets_one_or_two_lines_and_changes_nothing(steps: Shell, cell: str, told: str) -> None:
    before = {
        name: value for name, value in steps.ip.user_ns.items() if not name.startswith(("_", "In", "Out"))
    }
    message = steps.fails(cell)
    assert told in message
    assert len(message.splitlines()) <= 2
    after = {
        name: value for name, value in steps.ip.user_ns.items() if not name.startswith(("_", "In", "Out"))
    }
    assert after == before
    assert sorted(steps.kernel.notebook.components) == ["load", "total"]


def test_no_traceback_of_ours_is_shown(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.fails("%kf_submit nothing")
    assert capsys.readouterr().out.strip().splitlines() == [
        "UsageError: unknown pipeline nothing; pipelines: none yet: define one with %kf_pipeline"
    ]


def test_every_magic_has_help(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    magics = [name for name in shell.ip.magics_manager.magics["line"] if name.startswith("kf_")]
    assert sorted(magics) == sorted(registry.magics())
    for name in magics:
        shell.run(f"%{name} --help")
        out = capsys.readouterr().out
        assert "usage: %" in out, name
        assert "usage: %" in shell.ip.magics_manager.magics["line"][name].__doc__


def test_parameters_cell_makes_parameters_of_pipelines(shell: Shell) -> None:
    shell.run("%%kf_parameters\nrows = 4\nscale: float = 2.0")
    shell.run("%%kf_component load --output n\nn = rows * scale")
    shell.run("%kf_pipeline p load")
    assert shell.submit("p").result["n"] == 8.0
    assert shell.submit("p", rows=1).result["n"] == 2.0


def test_values_that_papermill_was_given_stand_for_the_defaults(shell: Shell) -> None:
    shell.run("# Parameters\nrows = 4\nscale = 3\n")
    shell.run("%%kf_parameters\nrows = 10\nother = 1")
    shell.run("%%kf_component load --param scale:float=1.0 --output n\nn = rows * scale + other")
    assert shell["n"] == 13.0
    shell.run("%kf_pipeline p load")
    assert shell.submit("p").result["n"] == 13.0


def test_loading_twice_is_harmless_and_unloading_takes_the_magics_away(shell: Shell) -> None:
    shell.run("%load_ext kfnb")
    shell.run("%reload_ext kfnb")
    shell.run("%%kf_component a\nx = 1")
    shell.run("%unload_ext kfnb")
    assert not [name for name in shell.ip.magics_manager.magics["line"] if name.startswith("kf_")]


def test_cells_that_ran_before_the_extension_count(shell: Shell) -> None:
    shell.run("%unload_ext kfnb")
    shell.run("import math\nLIMIT = 4\n\ndef root(x):\n    return math.sqrt(x)")
    shell.run("%load_ext kfnb")
    shell.run("%%kf_component a --output y\ny = root(LIMIT)")
    shell.run("%kf_pipeline p a")
    assert shell.submit("p").result["y"] == 2.0


def test_a_program_may_call_the_cell_magic(shell: Shell) -> None:
    shell.ip.run_cell_magic("kf_component", "make --output x", "x = 3")
    assert shell.component("make").outputs["x"].type == "int"


def test_a_notebook_may_await_inside_a_component(shell: Shell) -> None:
    shell.run("import asyncio")
    shell.run("%%kf_component wait --output x\nawait asyncio.sleep(0)\nx = 3")
    shell.run("%kf_pipeline p wait")
    assert shell.submit("p").result["x"] == 3


def test_a_terminal_goes_on_to_the_next_line_of_a_component(shell: Shell) -> None:
    assert shell.ip.check_complete("%%kf_component load")[0] == "incomplete"
    assert shell.ip.check_complete("%%kf_component load\nx = 1\n\n")[0] == "complete"


def test_a_component_can_be_bound_to_a_name(shell: Shell) -> None:
    shell.run("%%kf_component load -o handle\nx = 1")
    assert shell["handle"] is shell.component("load")


def test_quotes_of_a_line_are_read_as_a_shell_reads_them(shell):
    shell.run("%%kf_component a --param label=x --param d:dict={} --output seen\nseen = [label, d]")
    shell.run("%kf_pipeline p a")
    shell.run("n = 5")
    run = shell.run(r"""%kf_submit p --label "it's \"{n}\"" -p d '{"k":10, "m": {"n": [1]}}' """)
    assert run.wait(60).result == {"seen": ['it\'s "5"', {"k": 10, "m": {"n": [1]}}]}


def test_a_text_that_a_condition_compares_with_may_hold_quotes(shell):
    shell.run("OTHER = 'a\\\\b'")
    shell.run("%%kf_component a --param word=x --output seen\nseen = word")
    shell.run("%%kf_component b --output one\none = 1")
    shell.run("%%kf_component c --output two\ntwo = 2")
    shell.run(
        '%%kf_pipeline p\nfirst = a()\nwith dsl.If(first.output == "it\'s"):\n    b()\n'
        "with dsl.If(first.output == OTHER):\n    c()"
    )

    def ran(word):
        return {name for name, outputs in shell.submit("p", word=word).outputs.items() if outputs}

    assert ran("it's") == {"a", "b"}
    assert ran("a\\b") == {"a", "c"}
    assert ran("its") == {"a"}


def test_a_notebook_shows_the_end_of_a_log_and_says_where_the_rest_is(shell, capsys):
    shell.run("%%kf_component speak\nfor line in range(3):\n    print('line', line)\ndone = 1")
    shell.run("%kf_pipeline talk speak")
    run = shell.submit("talk")
    log = Path(run.log_place("speak"))
    log.write_text("".join(f"line {line}\n" for line in range(5000)))
    (log.parents[2] / "timeline").unlink()
    capsys.readouterr()

    shell.run("%kf_logs")
    first, *lines = capsys.readouterr().out.splitlines()
    assert first.startswith(
        "(4,800 more before these, of 5,000 lines (0.0 MB): --tail N or --tail all shows more;"
    )
    assert str(log.parents[1]) in first
    assert lines == [f"speak  line {line}" for line in range(4800, 5000)]
    shell.run(f"%kf_logs {run.id} speak --tail all")
    assert len(capsys.readouterr().out.splitlines()) == 5000
    shell.run(f"%kf_logs {run.id} speak --grep 'line 4999$'")
    assert capsys.readouterr().out == "line 4999\n"
    assert "--level lod: unknown level" in shell.fails("%kf_logs --level lod")


def test_an_option_that_a_parameter_has_the_name_of_is_told(
    shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run("%%kf_component a --param name:str=one --output x\nx = name")
    shell.run("%kf_pipeline p a")
    told = "note: --name is an option of the command; set the parameter name of p with -p name VALUE"
    capsys.readouterr()
    shell.run("%kf_submit p --name two -o run")
    assert told in capsys.readouterr().out
    assert shell["run"].wait().outputs["a"] == {"x": "one"}
    shell.run("%kf_submit p --name two -p name two -o run")
    assert told not in capsys.readouterr().out
    assert shell["run"].wait().outputs["a"] == {"x": "two"}
