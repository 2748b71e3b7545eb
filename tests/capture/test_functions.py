"""A cell that holds one annotated ``def`` becomes that function's component."""

from __future__ import annotations

import pytest

HEAD = "from kfp.dsl import Input, Output, Dataset, Metrics\nfrom typing import NamedTuple, List, Optional"


def test_a_function_component_takes_and_makes_what_it_is_annotated_with(shell) -> None:
    shell.run(HEAD)
    shell.run("K = 2\ndef times(v):\n    return v * K")
    shell.run(
        "%%kf_component prepare\ndef prepare(rows: int, out: Output[Dataset], names: List[str] = ['a'],"
        " note: str = 'n') -> int:\n  '''Prepare.'''\n  # two spaces\n  text = '''\n  x\n'''\n"
        "  with open(out.path, 'w') as file:\n    file.write(text * times(rows))\n  return len(names) + times(rows)\n"
    )
    shell.run("%%kf_component count\ndef count(out: Input[Dataset]) -> NamedTuple('R', [('n', int), ('s', str)]):\n"
              "\n    n = len(open(out.path).read())\n    return (n, 'x')\n")  # fmt: skip
    component = shell.component("prepare")
    assert {name: kind.type for name, kind in component.outputs.items()} == {
        "out": "Dataset",
        "Output": "int",
    }
    assert [param.name for param in component.options.params] == ["rows", "names", "note"]
    assert {name: kind.type for name, kind in shell.component("count").outputs.items()} == {
        "n": "int",
        "s": "str",
    }
    shell.run("%%kf_pipeline p\nmade = prepare(rows=3)\ncount(out=made.outputs['out'])\n")
    run = shell.submit("p")
    assert (run.outputs["prepare"]["Output"], run.outputs["count"]["n"]) == (7, 30)


@pytest.mark.parametrize(
    "function",
    [
        "def one(a: int) -> int: return a + 1",
        "def one(\n    a: int,\n) -> int: return a + 1",
        "def one(a: int) -> int: 'Doc.'; return a + 1",
        "def one(a: int) -> int:\n\t'''Doc.'''\n\treturn a + K",
        "def one(a: int) -> int:\n\n    # why\n    def inner():\n        return a + K\n    return inner()",
    ],
)
def test_a_function_however_it_is_laid_out(shell, function: str) -> None:
    from kfnb.capture.tracer import dependencies_of
    from kfnb.pipeline.step import make_step

    shell.run("K = 1")
    shell.run(f"%%kf_component one\n{function}\n")
    notebook, component = shell.kernel.notebook, shell.component("one")
    step = make_step(notebook, component, dependencies_of(notebook, component), ())
    names: dict[str, object] = {}
    exec(step.text, names)
    assert names["one"](1) == 2


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("def f(a: int, *more: int) -> int:\n    return a", "* and ** arguments are not supported"),
        ("def f(a: set) -> int:\n    return 1", "line 2: a is annotated set"),
        ("def f(a: int = max(1, 2)) -> int:\n    return a", "the default of a is not a literal"),
        (
            "@print\ndef f(a: int) -> int:\n    return a",
            "decorators are not supported on a component's function",
        ),
    ],
)
def test_what_kfp_cannot_take_is_refused(shell, function: str, message: str) -> None:
    assert message in shell.fails(f"%%kf_component f\n{function}\n")


def test_a_function_without_annotations_is_a_plain_cell(shell) -> None:
    shell.run("%%kf_component f\ndef f(a):\n    return a\n")
    assert shell.component("f").function is None
