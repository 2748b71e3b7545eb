"""Python's own compiler as an oracle: it is not flow-sensitive, but it never overlooks a name."""

from __future__ import annotations

import ast
import builtins
import dis
import warnings
from collections.abc import Iterator
from types import CodeType

from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from kfnb.capture.names import read_names

NAMES = st.sampled_from(["a", "b", "c", "d", "e", "g", "h"])


def expressions() -> st.SearchStrategy[str]:
    leaves = st.one_of(NAMES, NAMES, st.sampled_from(["(1)", "'x'", "None", "len", "f0", "f1", "C2", "C3"]))

    def grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        two, three = st.tuples(inner, inner), st.tuples(inner, inner, inner)
        return st.one_of(
            two.map(lambda p: f"({p[0]} + {p[1]})"),
            two.map(lambda p: f"({p[0]} and {p[1]})"),
            three.map(lambda p: f"({p[0]} < {p[1]} < {p[2]})"),
            three.map(lambda p: f"({p[0]} if {p[1]} else {p[2]})"),
            two.map(lambda p: f"[{p[0]}, *{p[1]}]"),
            two.map(lambda p: f"{{{p[0]}: {p[1]}}}"),
            two.map(lambda p: f"{p[0]}({p[1]})"),
            inner.map(lambda p: f"{p}.a"),
            two.map(lambda p: f"{p[0]}[{p[1]}]"),
            inner.map(lambda p: f"f'{{{p}!r:>{{b}}}}'" if "'" not in p and "{" not in p else p),
            st.tuples(NAMES, inner).map(lambda p: f"({p[0]} := {p[1]})"),
            st.tuples(NAMES, inner, inner).map(lambda p: f"(lambda {p[0]}={p[1]}: {p[2]},)[0]"),
            st.tuples(inner, NAMES, inner, inner).map(lambda p: f"[{p[0]} for {p[1]} in {p[2]} if {p[3]}]"),
            st.tuples(inner, NAMES, inner, NAMES, inner).map(
                lambda p: f"{{{p[0]}: {p[1]} for {p[1]} in {p[2]} for {p[3]} in {p[4]}}}"
            ),
            st.tuples(inner, NAMES, inner).map(lambda p: f"sum({p[0]} for {p[1]} in {p[2]})"),
        )

    return st.recursive(leaves, grow, max_leaves=6)


EXPRESSIONS = expressions()


def indent(text: str) -> str:
    return "\n".join("    " + line for line in text.split("\n"))


@st.composite
def simple_statements(draw: st.DrawFn) -> str:
    one, two = draw(NAMES), draw(NAMES)
    value = draw(EXPRESSIONS)
    form = draw(st.integers(0, 13))
    return [
        f"{one} = {value}",
        f"{one}, *{two} = {value}",
        f"{one} += {value}",
        f"{one}[{two}] = {value}",
        f"{one}.x += {value}",
        f"{one}: {two} = {value}",
        f"{one}: {two}",
        f"del {one}",
        f"del {one}[{value}]",
        f"import os.path as {one}, sys",
        f"from math import {draw(st.sampled_from(['sin', 'pi as ' + one]))}",
        f"assert {value}, {two}",
        f"{value}",
        f"global {one}",
    ][form]


@st.composite
def statements(draw: st.DrawFn, depth: int = 3) -> str:
    if depth == 0 or draw(st.booleans()):
        return draw(simple_statements())
    one, two, value = draw(NAMES), draw(NAMES), draw(EXPRESSIONS)
    body, other = (indent(draw(blocks(depth - 1))) for _ in range(2))
    form = draw(st.integers(0, 11))
    number = draw(st.integers(0, 10**6))
    return [
        f"if {value}:\n{body}\nelse:\n{other}",
        f"if {value}:\n{body}\n    raise {two}",
        f"for {one} in {value}:\n{body}\n    if {two}: break\nelse:\n{other}",
        f"while {value}:\n{body}",
        f"try:\n{body}\nexcept {two} as {one}:\n{other}",
        f"try:\n{body}\nexcept NameError:\n{other}\nelse:\n    {one} = {two}\nfinally:\n    {two}",
        f"with {value} as {one}:\n{body}",
        f"def f{number}({one}, {two}={value}):\n{body}",
        f"@{one}\ndef f{number}({one}: {two}) -> {one}:\n{body}\n{other}",
        f"class C{number}({one}, x={two}):\n{body}\n    def m(self, {one}={two}):\n{indent(other)}",
        (
            f"match {value}:\n    case [{one}, *{two}]:\n{indent(body)}\n"
            f"    case {{'k': x, **y}} if {one}:\n{indent(other)}"
        ),
        f"def f{number}():\n    global {one}\n{body}\n    def g():\n{indent(other)}",
    ][form]


def blocks(depth: int) -> st.SearchStrategy[str]:
    return st.lists(statements(depth), min_size=1, max_size=3).map("\n".join)


def loads_and_stores(code: CodeType) -> tuple[set[str], set[str]]:
    """All names that the code and the code inside it loads from, and stores into, the cell's own level."""
    loads, stores = set(), set()
    is_class = code.co_flags & 0x02 == 0 and code.co_name != "<module>"
    own = {i.argval for i in dis.get_instructions(code) if is_class and i.opname == "STORE_NAME"}
    for instruction in dis.get_instructions(code):
        name = instruction.argval
        if instruction.opname in {"LOAD_GLOBAL", "LOAD_FROM_DICT_OR_GLOBALS"} or (
            instruction.opname == "LOAD_NAME" and name not in own
        ):
            loads.add(name)
        elif instruction.opname in {"STORE_GLOBAL", "DELETE_GLOBAL"} or (
            instruction.opname in {"STORE_NAME", "DELETE_NAME"} and not is_class
        ):
            stores.add(name)
    for inner in nested(code):
        more = loads_and_stores(inner)
        loads |= more[0]
        stores |= more[1]
    return loads, stores


def nested(code: CodeType) -> Iterator[CodeType]:
    return (one for one in code.co_consts if isinstance(one, CodeType))


def with_mentions(text: str) -> str:
    """The cell with a mention of each function and class at its end: so that what they do counts."""
    made = (ast.FunctionDef, ast.ClassDef)
    return "\n".join([text, *(node.name for node in ast.walk(ast.parse(text)) if isinstance(node, made))])


@settings(max_examples=150, suppress_health_check=list(HealthCheck), derandomize=True)
@given(blocks(3))
def test_no_name_that_the_compiler_sees_is_overlooked(text: str) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            loads, stores = loads_and_stores(compile(text, "cell", "exec"))
    except SyntaxError:
        reject()
    names = read_names(ast.parse(with_mentions(text)))
    given_by_python = {name for name in loads if hasattr(builtins, name)} | {
        "__name__",
        "__module__",
        "__qualname__",
        "__annotations__",
    }
    assert loads - given_by_python <= {*names.reads, *names.writes, *names.deletes}
    assert stores - given_by_python <= {*names.writes, *names.deletes}
