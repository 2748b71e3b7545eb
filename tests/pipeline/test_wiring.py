"""Steps are wired by the names that their cells read and write."""

from __future__ import annotations

from typing import Any

import pytest

from kfnb.resources.components import api
from tests.conftest import Shell


@pytest.fixture
def steps(shell: Shell) -> Shell:
    """load makes xs; double rewrites xs; total reads xs and k; report reads n."""
    shell.run("%%kf_component load --param rows:int=3\nxs = list(range(rows))")
    shell.run("%%kf_component double\nxs = [2 * x for x in xs]")
    shell.run("%%kf_component total --param k:int=1 --output n\nn = sum(xs) * k")
    shell.run("%%kf_component report --output text\ntext = f'n is {n}'")
    return shell


def calls(shell: Shell, name: str) -> list[str]:
    """The statements of a pipeline's function, as they were written."""
    program = api.built(name).program
    body = program[program.index(f"def {name}(") :].split("\n")[1:]
    return [line.strip() for line in body if "(" in line and "compile" not in line and "return" not in line]


def test_an_input_comes_from_the_latest_earlier_step_that_writes_it(steps: Shell) -> None:
    steps.run("%kf_pipeline p load double total")
    assert calls(steps, "p") == [
        "load_task = load(rows=rows)",
        "double_task = double(xs=load_task.outputs['xs'])",
        "total_task = total(xs=double_task.outputs['xs'], k=k)",
    ]


def test_a_step_left_out_is_passed_by(steps: Shell) -> None:
    steps.run("%kf_pipeline p load total")
    assert "total_task = total(xs=load_task.outputs['xs'], k=k)" in calls(steps, "p")
    assert steps.submit("p", rows=4).result["n"] == 6


def test_two_steps_that_write_one_name_do_not_disturb_each_other(steps: Shell) -> None:
    steps.run("%%kf_pipeline p\nload()\ntotal()\ndouble()\ntotal()")
    assert calls(steps, "p")[1] == "total_task = total(xs=load_task.outputs['xs'], k=k)"
    assert calls(steps, "p")[3] == "total_task_2 = total(xs=double_task.outputs['xs'], k=k)"


def test_parameters_of_steps_are_parameters_of_the_pipeline(steps: Shell) -> None:
    steps.run("%kf_pipeline p load total")
    params = api.spec_of("p").spec["root"]["inputDefinitions"]["parameters"]
    assert {name: one["defaultValue"] for name, one in params.items()} == {"rows": 3.0, "k": 1.0}


def test_declared_outputs_are_the_pipelines_result(steps: Shell) -> None:
    steps.run("%kf_pipeline p load total report")
    run = steps.submit("p", k=5)
    assert run.result == {"n": 15, "text": "n is 15"}
    assert run.outputs["total"]["n"] == 15
    assert steps["n"] == 6  # the kernel ran double too


def test_a_loops_item_goes_to_the_input_of_its_name(steps: Shell) -> None:
    steps.run("%%kf_pipeline p\nload()\nwith dsl.ParallelFor([1, 10]) as k:\n    total()\n    report()")
    assert steps.submit("p").outputs["report"]["text"] == ["n is 3", "n is 30"]


def test_a_loop_over_what_a_step_made_knows_the_type_of_its_items(steps: Shell) -> None:
    steps.run("%%kf_component some\nks = [1, 10]")
    body = "load()\nmade = some()\nwith dsl.ParallelFor(made.outputs['ks']) as k:\n    total()\n    report()"
    steps.run(f"%%kf_pipeline p\n{body}")
    assert steps.submit("p").outputs["report"]["text"] == ["n is 3", "n is 30"]


def test_a_step_inside_an_expression_is_called_before_it(steps: Shell) -> None:
    body = "load()\nwith dsl.If(total().outputs['n'] > 2):\n    report()\nwith dsl.Else():\n    double()"
    steps.run(f"%%kf_pipeline p\n{body}")
    yes, no = steps.submit("p", k=1), steps.submit("p", k=0)
    assert (yes.tasks["report"].state, yes.tasks["double"].state) == ("SUCCEEDED", "SKIPPED")
    assert (no.tasks["report"].state, no.tasks["double"].state) == ("SKIPPED", "SUCCEEDED")


def test_names_and_arguments_may_be_given(steps: Shell) -> None:
    body = "made = load(rows=5)\ncounted = total(xs=made.outputs['xs'], k=factor)\ncounted.set_caching_options(False)"
    steps.run(f"%%kf_pipeline p --param factor:int=2\n{body}")
    assert steps.submit("p").result["n"] == 20
    assert steps.submit("p", factor=3).result["n"] == 30


def test_the_body_may_use_constants_functions_and_imports_of_the_notebook(steps: Shell) -> None:
    steps.run("SIZES = [2, 4]\n\ndef biggest(sizes):\n    return max(sizes)")
    steps.run("%%kf_pipeline p\nload(rows=biggest(SIZES))\ntotal()")
    assert steps.submit("p").result["n"] == 6


def test_a_component_of_kfps_own_may_be_called_too(steps: Shell) -> None:
    steps.run(
        "from kfp import dsl\n@dsl.component(base_image='python:3.11')\ndef shout(n: int) -> str:\n    return f'{n}!'"
    )
    steps.run("%%kf_pipeline p\nload()\ncounted = total()\nshout(n=counted.outputs['n'])")
    assert steps.submit("p").outputs["shout"]["Output"] == "3!"


def test_options_of_a_component_are_its_tasks_settings(steps: Shell) -> None:
    steps.run("%%kf_component heavy --cpu 2 --memory 4G --gpu 1 --retries 3 --no-cache\ny = 1")
    steps.run("%kf_pipeline p heavy")
    spec = api.spec_of("p").spec
    task = spec["root"]["dag"]["tasks"]["heavy"]
    container = spec["deploymentSpec"]["executors"]["exec-heavy"]["container"]
    assert task["retryPolicy"]["maxRetryCount"] == 3
    assert "enableCache" not in task["cachingOptions"]
    assert container["resources"]["resourceCpuLimit"] == "2"
    assert container["resources"]["resourceMemoryLimit"] == "4G"
    assert container["resources"]["accelerator"]["resourceCount"] == "1"


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("%kf_pipeline p", "has no steps"),
        ("%kf_pipeline p load totl", "unknown component totl; did you mean total?"),
        ("%kf_pipeline p load load", "load is given more than once"),
        (
            "%kf_pipeline p total",
            "total reads xs, which double writes: add double to the pipeline, before it",
        ),
        ("%kf_pipeline p total load", "total reads xs, which load writes later: put load before it"),
        ("%kf_pipeline load load", "load is already a component"),
        ("%kf_pipeline 2p load", "'2p' is not a valid name for a pipeline"),
        ("%%kf_pipeline p\nx = 1", "pipeline p calls no component"),
        ("%%kf_pipeline p\nload(row=3)", "line 2: load has no input row; did you mean rows?"),
        ("%%kf_pipeline p\nload(3)", "line 2: pass inputs of load by name"),
        ("%%kf_pipeline p\nload()\ntotal().outputs['m']", "line 3: total has no output m; outputs: n"),
        ("%%kf_pipeline p\nload()\n[total() for i in [1]]", "call total in a separate statement"),
        ("%%kf_pipeline p\nload()\nunknown()", "line 3: unknown is not defined by any cell"),
        ("%%kf_pipeline p\nload(\n", "was never closed"),
        (
            "%%kf_pipeline p\nload()\nwith dsl.If(1 == 1):\n    total()\nreport()",
            "line 5: report reads n, which total writes inside a block: outside of it, use dsl.OneOf or dsl.Collected",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_words(steps: Shell, cell: str, told: str) -> None:
    assert told in steps.fails(cell)
    assert "p" not in steps.kernel.workspace.pipelines


def test_a_cycle_is_named(shell: Shell) -> None:
    shell.run("%%kf_component seed\na = 1\nb = 1")
    shell.run("%%kf_component one\na = b + 1")
    shell.run("%%kf_component two\nb = a + 1")
    assert "one and two form a cycle (b, a)" in shell.fails("%kf_pipeline p one two")


def test_two_defaults_for_one_parameter_are_refused(shell: Shell) -> None:
    shell.run("%%kf_component one --param k:int=1\na = k")
    shell.run("%%kf_component two --param k:int=2\nb = k")
    assert "k is int=1 in cell one" in shell.fails("%kf_pipeline p one two")


def test_a_failed_definition_keeps_the_earlier_pipeline(steps: Shell) -> None:
    first = steps.run("%kf_pipeline p load total")
    steps.fails("%kf_pipeline p load nothing")
    assert steps.kernel.workspace.pipelines["p"] is first


def test_a_type_that_changed_since_asks_for_the_cell_to_be_run_again(steps: Shell) -> None:
    steps.run("%%kf_component load --param rows:int=3\nxs = tuple(range(rows))")
    assert (
        "double read xs as list when its cell ran, but load now writes Artifact: run cell double"
        in steps.fails("%kf_pipeline p load double")
    )


def test_a_stale_value_is_reported(steps: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    steps.run("%%kf_component load --param rows:int=3\nxs = list(range(rows + 1))")
    steps.run("%kf_pipeline p load double")
    assert "double ran with xs from an earlier run of load" in capsys.readouterr().out


def test_the_handle_can_be_bound_and_submitted(steps: Shell) -> None:
    import kfnb

    steps.run("%kf_pipeline p load total -o handle")
    pipeline: Any = steps["handle"]
    assert repr(pipeline) == "<Pipeline p: load, total>"
    assert kfnb.submit(pipeline, {"rows": 2}).wait(60).result["n"] == 1


def test_a_step_that_gets_anothers_value_than_its_cell_read_is_reported(
    steps: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    steps.run("%kf_pipeline p load total")
    assert (
        "total read xs from double in this notebook, and gets it from load in this pipeline"
        in capsys.readouterr().out
    )


def test_a_name_that_kfp_writes_otherwise_is_found_by_the_notebooks_name(shell: Shell) -> None:
    shell.run("%%kf_component Load__it_ --output n\nn = 1")
    shell.run("%kf_pipeline My_pipe Load__it_")
    assert shell.submit("My_pipe").outputs["Load__it_"]["n"] == 1


def test_two_components_that_are_one_name_to_kfp_are_refused(shell: Shell) -> None:
    shell.run("%%kf_component a_b\nn = 1")
    shell.run("%%kf_component a__b\nm = 1")
    assert "a_b and a__b have the same name in KFP (a-b): rename one" in shell.fails(
        "%kf_pipeline p a_b a__b"
    )


@pytest.mark.parametrize(
    "line",
    [
        "if n > 2:\n    report(n=n)",
        "report(n=1 if t.outputs['n'] else 2)",
        "with dsl.If(n == 3 and n == 4):\n    report(n=n)",
        "with dsl.If(1 < n < 5):\n    report(n=n)",
        "with dsl.If(not n):\n    report(n=n)",
        "if factor > 1:\n    report(n=n)",
        "while total().outputs['n']:\n    report(n=n)",
    ],
)
def test_pythons_own_decisions_over_values_of_the_run_are_refused(steps: Shell, line: str) -> None:
    body = f"load()\nt = total()\nn = t.outputs['n']\n{line}"
    message = steps.fails(f"%%kf_pipeline p --param factor:int=2\n{body}")
    assert "line 5" in message
    assert "is known only when the pipeline runs" in message


def test_pythons_decisions_over_constants_are_fine(steps: Shell) -> None:
    steps.run("FAST = True")
    steps.run("%%kf_pipeline p\nload()\nif FAST and not 1 < 0 < 2:\n    total()")
    assert "total" in steps.submit("p").tasks
