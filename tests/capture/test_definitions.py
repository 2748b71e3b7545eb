"""What made a name."""

from __future__ import annotations

import pytest

from kfnb.capture.cell import Cell
from kfnb.capture.definitions import DefinitionKind, definitions_of


def sorts(raw: str) -> dict[str, str]:
    cell = Cell(raw, 1, 1, "key", "c" if raw.startswith("%%kf_component") else "")
    return {one.name: one.sort.value for one in definitions_of(cell, lambda _: ["starred"])}


@pytest.mark.parametrize(
    ("cell", "sort"),
    [
        ("import x", "import"),
        ("from m import x as y, x", "import"),
        ("def x(): pass", "source"),
        ("async def x(): pass", "source"),
        ("@d\nclass x: pass", "source"),
        ("x = lambda: 1", "source"),
        ("x = partial(f, 1)", "source"),
        ("x = functools.partial(f, 1)", "source"),
        ("x = namedtuple('x', 'a')", "source"),
        ("if c:\n    def x(): pass\nelse:\n    x = None", "source"),
        ("try:\n    import x\nexcept ImportError:\n    x = None", "source"),
        ("x = 1", "constant"),
        ("x: int = -1", "constant"),
        ("a, x = 1, [2, {'a': (None,)}]", "constant"),
        ("x = 2 ** 8", "constant"),
        ("x = f()", "live"),
        ("x = y", "constant"),  # if y is one: that is for its tracing to say
        ("x = f'{y}'", "constant"),
        ("x += 1", "live"),
        ("x[0] = 1", "live"),
        ("x.a = lambda: 1", "live"),
        ("if c:\n    x = 1", "live"),
        ("for x in []: pass", "live"),
        ("del x", "deleted"),
        ("%%kf_component c\nx = 1", "step"),
        ("%%kf_component c\nx[0] = 1", "step"),
        ("%%kf_component c\nif c:\n    x = 1", "step"),
        ("%%kf_component c\nx = lambda: 1", "source"),
        ("%%kf_component c\nimport x", "import"),
        ("%%kf_parameters\nx = f()", "parameter"),
    ],
)
def test_the_sort_of_a_statement(cell: str, sort: str) -> None:
    assert sorts(cell)["x"] == sort


def test_star_imports_define_what_the_module_has() -> None:
    assert sorts("from m import *") == {"starred": "import"}


def test_the_text_of_a_definition_is_its_own_statement() -> None:
    cell = Cell(
        "# why\n@deco\ndef f():\n    # inside\n    return 1\nx = 1; g = lambda: x; x = 2\n", 1, 1, "key"
    )
    texts = {
        one.name: one.text for one in definitions_of(cell, lambda _: ()) if one.sort is DefinitionKind.SOURCE
    }
    assert texts == {"f": "@deco\ndef f():\n    # inside\n    return 1", "g": "g = lambda: x"}


def test_definitions_travel_with_all_that_they_need(agree) -> None:
    agree(
        "import functools\nfrom functools import lru_cache, partial\nfrom dataclasses import dataclass",
        (
            "BASE = 2\ndef inner(v):\n    return v * BASE\n\n"
            "def outer(v, *, f=inner):\n    '''Doc.'''\n    return f(v) + even(v)"
        ),
        "def even(n):\n    return n == 0 or odd(n - 1)\ndef odd(n):\n    return n != 0 and even(n - 1)",
        "@lru_cache\ndef fib(n):\n    return n if n < 2 else fib(n - 1) + fib(n - 2)",
        "triple = lambda v: v * 3; quad = partial(inner, 4)",
        "@dataclass\nclass Shape:\n    side: int = BASE\n    def area(self):\n        return inner(self.side)",
        "class Square(Shape):\n    def area(self):\n        return super().area() + self.side",
        "%%kf_component first --output k\nk = 5\ndef made_here(v):\n    return v + k\n",
        "%%kf_component second --output out\n"
        "out = [outer(3), fib(10), triple(2), quad(), Square().area(),"
        " Shape(3).area(), made_here(1), outer.__doc__]\n",
    )


def test_a_definition_comes_after_what_it_needs_at_once(agree, shell) -> None:
    decorator = "def deco(f):\n    return lambda: f() + 1"
    shell.run(decorator, "one")
    shell.run("@deco\ndef f():\n    return 1", "two")
    shell.run(decorator, "one")
    agree("%%kf_component c --output x\nx = f()\n")


def test_a_class_that_needs_an_input_to_be_defined(agree) -> None:
    agree(
        "%%kf_component first --output k\nk = 5\n",
        "%%kf_component second --output n\nclass A:\n    size = k\nclass B(A):\n    pass\nn = 1\n",
        "%%kf_component third --output out\nout = [B.size, n]\n",
    )


def test_a_helper_that_was_edited_is_taken_as_it_is_now(shell) -> None:
    shell.run("def f():\n    return 1", "helper")
    shell.run("%%kf_component c --output x\nx = f()\n", "c")
    shell.run("%kf_pipeline p c")
    assert shell.submit("p").result["x"] == 1
    shell.run("K = 4", "constant")
    shell.run("def f():\n    return K", "helper")
    assert shell.submit("p").result["x"] == 4


def test_an_edited_helper_may_need_another_step(shell) -> None:
    shell.run("def f():\n    return 1", "helper")
    shell.run("%%kf_component first\nk = 5\n", "first")
    shell.run("%%kf_component second --output x\nx = f()\n", "second")
    shell.run("def f():\n    return k + 1", "helper")
    shell.run("%kf_pipeline p first second")
    assert shell.submit("p").result["x"] == 6


def test_a_helper_of_another_cell_is_another_one(shell) -> None:
    shell.run("def f():\n    return 1", "one")
    shell.run("%%kf_component c --output x\nx = f()\n", "c")
    shell.run("def f():\n    return 2", "two")
    shell.run("%kf_pipeline p c")
    assert shell.submit("p").result["x"] == 1


def test_what_a_class_keeps_in_itself_is_noted_when_it_changes(shell, capsys) -> None:
    shell.run("class Counter:\n    n = 0\n    @classmethod\n    def up(cls):\n        cls.n += 1")
    shell.run("%%kf_component c\nCounter.up()\nx = Counter.n\n")
    assert "note: attributes of Counter were changed here" in capsys.readouterr().out
