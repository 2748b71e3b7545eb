"""Python itself as an oracle: cells are run on every path that their conditions and loops can take.

What the analysis says is read must be what some path reads of what was there before: nothing overlooked, and nothing
taken for an input that no path reads.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kfnb.capture.names import read_names

NAMES = ["a", "b", "c", "d"]
LONGEST, MOST = 8, 200  # decisions on a path, and paths of a cell

names = st.sampled_from(NAMES)


class Cut(Exception):
    """The path has got too long."""


class Path:
    """One path through a cell: which decision is taken at each point where it asks for one."""

    def __init__(self, decisions: list[int]) -> None:
        self.given = decisions
        self.taken: list[tuple[int, int]] = []

    def choose(self, ways: int) -> int:
        if len(self.taken) >= LONGEST:
            raise Cut
        way = self.given[len(self.taken)] if len(self.taken) < len(self.given) else 0
        self.taken.append((way, ways))
        return way

    def flag(self, *_: Any) -> bool:
        return self.choose(2) == 1

    def items(self, *_: Any) -> range:
        return range(self.choose(3))

    def risky(self, *_: Any) -> None:
        if self.choose(2):
            raise KeyError

    @contextmanager
    def block(self, *_: Any) -> Iterator[None]:
        yield

    def next(self) -> list[int] | None:
        """The decisions of the path that comes after this one."""
        known = list(self.taken)
        while known:
            way, ways = known.pop()
            if way + 1 < ways:
                return [*(one for one, _ in known), way + 1]
        return None


class Space(dict[str, Any]):
    """A cell's namespace, in which every name has a value from before."""

    def __init__(self) -> None:
        super().__init__()
        self.outside: set[str] = set()
        self.written: set[str] = set()

    def __missing__(self, name: str) -> Any:
        if name not in NAMES:
            raise KeyError(name)
        self.outside.add(name)
        return 0

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, value)
        self.written.add(name)


def on_every_path(text: str) -> tuple[set[str], set[str], set[str], bool] | None:
    """What some path reads from before, what some path writes, what some leaves as it was; and whether that is all."""
    code = compile(text, "cell", "exec")
    outside: set[str] = set()
    written: set[str] = set()
    kept: set[str] = set()
    whole = True
    decisions: list[int] | None = []
    for _ in range(MOST):
        if decisions is None:
            return outside, written, kept, whole
        path, space = Path(decisions), Space()
        known = {name: getattr(path, name) for name in ("flag", "items", "risky", "block")}
        try:
            exec(code, known, space)
        except Cut:
            whole = False
        kept |= set(NAMES) - space.written
        outside |= space.outside
        written |= space.written
        decisions = path.next()
    return None  # too many paths to tell


@st.composite
def simple(draw: st.DrawFn, loop: bool) -> str:
    one, two = draw(names), draw(names)
    forms = [f"{one} = ({two},)", f"{one} = 1", f"flag({one})", f"{one} = flag()", f"import os as {one}"]
    forms += [f"flag({one} := 1)", f"flag([{two} for {two} in items()])"]
    forms += ["continue", "break"] if loop else []
    return draw(st.sampled_from(forms))


@st.composite
def statement(draw: st.DrawFn, depth: int, loop: bool) -> str:
    if depth == 0 or draw(st.booleans()):
        return draw(simple(loop))
    one, two = draw(names), draw(names)
    form = draw(st.integers(0, 10))
    inner = loop or form >= 7
    body, other = (
        "\n".join("    " + line for line in draw(block(depth - 1, now)).split("\n")) for now in (inner, loop)
    )
    return [
        f"if flag():\n{body}",
        f"if flag({one}):\n{body}\nelse:\n{other}",
        f"with block() as {one}:\n{body}",
        f"try:\n    risky()\n{body}\nexcept KeyError as e:\n{other}",
        f"try:\n    {one} = risky()\nexcept KeyError:\n{other}\nelse:\n{body}",
        f"match items():\n    case [{one}, *_]:\n{body.replace('    ', '        ')}\n    case _:\n        {two} = 1",
        f"flag() and flag({one} := 1)",
        f"for {one} in items():\n{body}",
        f"for {one} in range(2):\n{body}",
        f"for {one} in items({two}):\n{body}\nelse:\n{other}",
        f"while flag({one}):\n{body}",
    ][form]


def block(depth: int, loop: bool = False) -> st.SearchStrategy[str]:
    return st.lists(statement(depth, loop), min_size=1, max_size=3).map("\n".join)


@settings(max_examples=150, suppress_health_check=list(HealthCheck), derandomize=True)
@given(block(3))
def test_what_is_read_is_what_some_path_reads(text: str) -> None:
    paths = on_every_path(text)
    if paths is None:
        return
    outside, written, kept, whole = paths
    found = read_names(ast.parse(text))
    assert outside <= set(found.reads), text
    assert not whole or set(found.reads) & set(NAMES) <= outside, text
    assert written <= set(found.writes), text
    assert set(found.conditional) & set(NAMES) <= kept, text
