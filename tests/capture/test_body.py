"""A cell's text inside a function: exactly what it was."""

from __future__ import annotations

import ast
import textwrap

import pytest

from kfnb.capture.body import body_of, exact, indented

BLANKS = [
    "x = '''a\n   \nb'''",
    "x = f'''a {1 + 1!r:>4}\n  \t \nb {{c}} {'q'}'''",
    "x = b'''a\n  \n'''",
    "x = ('a' '''\n  \n''' f'{2}'\n     'z')",
    "x = '''\n  \n''' \\\n  + 'more'\ny = 1",
    "def f():\n    '''Doc.\n    \n    More.'''\n    return '''\n    \n'''\nx = f() + f.__doc__",
    "x = '''kept\n  inner indent\n\n\tand tab'''",
    "x = {'a': '''\n \n''', 'b': [1,\n\n   2]}",
]


@pytest.mark.parametrize("text", BLANKS)
def test_strings_stay_what_they_are(text: str) -> None:
    here: dict[str, object] = {}
    exec(text, here)
    body = body_of(text, lambda _: (), (), ())
    source = textwrap.dedent("def step():\n" + indented(body.text) + "\n    return x")
    there: dict[str, object] = {}
    exec(source, there)
    assert there["step"]() == here["x"]
    assert exact(text).count("\n") == body.text.count("\n") == text.count("\n")


def test_comments_and_lines_stay() -> None:
    text = "# first\nx = 1  # why\n\nif x:\n    # inside\n    y = 2\n"
    assert body_of(text, lambda _: (), (), ()).text == text


def test_global_stays_but_for_the_names_that_are_the_functions_own() -> None:
    text = "global a\ndef f():\n    global b, c\nclass A:\n    global d"
    body = body_of(text, lambda _: (), (), {"b", "d"})
    assert body.text == "pass\ndef f():\n    nonlocal b; global c\nclass A:\n    nonlocal d"


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("x: int = 1  # one", "x = 1  # one"),
        ("x: dict[str,\n  int] = {\n}", "x = {\n\n}"),
        ("x: int", "pass"),
        ("if c:\n    x: int = (1 +\n      2)", "if c:\n    x = (1 +\n      2)"),
        ("def f():\n    x: int = 1", "def f():\n    x: int = 1"),
        ("class A:\n    x: int = 1", "class A:\n    x: int = 1"),
    ],
)
def test_a_global_name_has_no_annotation(text: str, without: str) -> None:
    assert body_of(text, lambda _: (), (), ()).text == without


def test_star_imports_name_what_is_used() -> None:
    assert body_of("from m import *\nx", lambda _: ["x", "y"], ["x"], ()).text == "from m import x\nx"
    assert body_of("from m import *", lambda _: ["x"], [], ()).text == "import m"


@pytest.mark.parametrize(
    ("text", "awaits"),
    [
        ("await x", True),
        ("async for a in b: pass", True),
        ("[a async for a in b]", True),
        ("async def f(): await x", False),
    ],
)
def test_what_awaits(text: str, awaits: bool) -> None:
    assert body_of(text, lambda _: (), (), ()).awaits is awaits


def test_the_text_stays_python() -> None:
    for text in BLANKS:
        ast.parse(exact(text))
