"""Generated notebooks run in the kernel and as pipelines: every value that a pipeline makes is the kernel's.

Each component ends by writing down what it sees (``repr``, so types count as values do); what its step writes down in
the pipeline must be the same. Where two names stand for one object the two may differ, but not in silence.
"""

from __future__ import annotations

import itertools
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kfnb.errors import RunFailed

HELPERS = """
K = 3
TABLE = {"a": [1, 2], "b": [3]}

def scale(v, by=2, *, plus=0):
    return (v * by + plus) % 1000

def push(items, v):
    items.append(v)
    return items

def total(items):
    return sum(scale(v, by=K) for v in items) % 1000

def in_order(v):
    if type(v) is dict:  # KFP keeps no order of keys
        return {key: in_order(v[key]) for key in sorted(v, key=str)}
    return type(v)(map(in_order, v)) if type(v) in (list, tuple) else v

class Box:
    def __init__(self, v):
        self.v = v

    def up(self, n=1):
        self.v = scale(self.v, plus=n)
        return self.v

    def __repr__(self):
        return f"Box({self.v!r})"
"""

# kind of value -> (a first value, statements that change a name of it); {a} is the name, {i} an int, {x} a list ...
FIRST = {
    "i": [
        "{a} = 7",
        "{a} = {i} + 1",
        "{a} = scale({i}, plus=2)",
        "{a} = len({x})",
        "({a} := K + {i})",
        "{a} = total({x})",
    ],
    "f": ["{a} = 2.0", "{a} = {i} / 4", "{a} = float({i})", "{a} = 1e-7 * {i}", "{a} = -0.5"],
    "s": [
        "{a} = 'x\\ty'",
        "{a} = f'{{ {i}!r:>5}} {{K}}'",
        '{a} = """\n   \n  two\n"""',
        "{a} = 'é\\n' * 2",
        "{a} = str({f})",
    ],
    "x": [
        "{a} = [1, 2, 3]",
        "{a} = [v % 7 for v in range({i} % 5)]",
        "{a} = sorted({x}, key=lambda v: -v)",
        "{a} = []",
    ],
    "y": ["{a} = [0.5, 2.0]", "{a} = [v / 2 for v in {x}]", "{a} = [float(v) for v in {x}] + [1]"],
    "d": [
        "{a} = {{'p': 1, 'q': {i}}}",
        "{a} = {{str(k): k * K for k in range(3)}}",
        "{a} = dict(z=1.0, b=None, c={s})",
    ],
    "t": ["{a} = (1, 'b', {i})", "{a} = tuple({x})", "{a} = ({f},)"],
    "m": ["{a} = [[1], [2, 3]]", "{a} = [[v] for v in {x}] + [[0]]", "{a} = [[0] * 2] * 2"],
    "e": ["{a} = {{1, 2}}", "{a} = set({x})", "{a} = frozenset({x})"],
    "b": ["{a} = Box({i})", "{a} = Box(TABLE['a'][0])"],
    "n": ["{a} = None", "{a} = {i} > 2", "{a} = {s} == ''", "{a} = 2 ** 60 + {i}"],
}
CHANGE = {
    "i": [
        "{a} += {i}",
        "{a} = {a} * 3 % 1000 if {a} > 2 else 5",
        "for k in {x}:\n    {a} = ({a} + k) % 1000",
        "while {a} < 3:\n    {a} += 1",
        "if {i} % 2:\n    {a} = 9",
        "try:\n    {a} = {x}[99]\nexcept IndexError as error:\n    {a} = len(str(error)) + {a}",
        "match {x}:\n    case [{a}, *_]:\n        {a} += 1\n    case _:\n        pass",
        "def bump():\n    global {a}\n    {a} = scale({a}, plus=1)\nbump()",
        "class Holder:\n    z = {i}\n    def get(self):\n        return self.z + {a}\n{a} = Holder().get() % 1000",
        "{a} = (lambda w={a}: w + 1)()",
        "{a}, other = {i}, {a}",
        "for k in range({i} % 3):\n    if k > 0:\n        {a} = k",
        "[{a} := v for v in {x} if v > 1]",
    ],
    "f": ["{a} = {a} * 2 + {i}", "{a} -= 0.5", "if {a} > 1:\n    {a} = 3.0"],
    "s": ["{a} += '!'", "{a} = {a}.upper()[:20]", "{a} = ''.join(c for c in {a} if c != 'x')[:20]"],
    "x": [
        "{a}.append({i})",
        "{a} += [{i}]",
        "{a}[:1] = [K]",
        "push({a}, {i})",
        "{a}.sort()",
        "{a} = {a} + {x}[:2]",
        "del {a}[:1]",
        "if {i} > 3:\n    {a}.append(-1)",
        "for k in list({a}):\n    if k % 2:\n        {a}.remove(k)",
        "grow = {a}.append\ngrow(4)",
        "def more():\n    {a}.append({i})\nmore()",
    ],
    "y": ["{a}.append(1.5)", "{a} = [v + 0.5 for v in {a}]", "{a}.reverse()"],
    "d": [
        "{a}['r'] = {i}",
        "{a}.update(w=[1])",
        "{a}.pop('p', None)",
        "{a} = {{**{a}, 'k': {x}[:1]}}",
        "{a} |= {{'u': 1}}",
    ],
    "t": ["{a} = {a} + ({i},)", "{a} += (None,)", "*_, {a} = [{a}, {a}[::-1]]"],
    "m": ["{a}[0].append({i})", "{a}[-1] += [1]", "{a}.append([{i}])", "{a}[0] = {a}[0] + [5]"],
    "e": ["{a} = {a} | {{{i}}}", "{a} = set({a}) - {{1}}"],
    "b": ["{a}.up()", "{a}.v = {i}", "assert isinstance({a}, Box)", "{a}.up(n={i})"],
    "n": ["{a} = [{a}]", "{a} = not {a}"],
}
ALIASES = ["{x2} = {x}", "{m2} = [{x}, {x}]", "{d2} = {{'k': {x}}}"]


BETWEEN = [  # plain cells: what they define is another thing from then on
    "K = 4",
    "K = len(TABLE)\nK = 5",
    "def scale(v, by=3, *, plus=1):\n    return (v * by + plus + K) % 1000",
    "def push(items, v):\n    items.insert(0, v)\n    return items",
    "TABLE = {'a': [5], 'c': None}",
]


class Writer:
    """Writes the cells of one chain; its names end in ``tail``, so that chains share a pipeline."""

    def __init__(self, draw: Any, tail: str) -> None:
        self.draw = draw
        self.tail = tail
        self.known: dict[str, list[str]] = {}

    def cells(self) -> list[tuple[str, str]]:
        found = []
        for number in range(self.draw(st.integers(2, 5))):
            if not self.draw(st.integers(0, 3)):
                found.append(("", self.draw(st.sampled_from(BETWEEN))))
            found.append(self.cell(f"step{number}{self.tail}"))
        return found

    def cell(self, name: str) -> tuple[str, str]:
        lines = [self.statement() for _ in range(self.draw(st.integers(1, 5)))]
        shown = sorted({one for names in self.known.values() for one in names})
        chosen = self.draw(st.lists(st.sampled_from(shown), max_size=4, unique=True)) if shown else []
        seen = ", ".join(f"sorted({one})" if one[0] == "e" else one for one in chosen)
        text = "\n".join([*lines, f"seen_{name} = repr(in_order([{seen}]))"])
        return name, f"%%kf_component {name} --output seen_{name}\n{text}\n"

    def statement(self) -> str:
        kind = self.draw(st.sampled_from("iiifsxxxydtmebn"))
        known = self.known.setdefault(kind, [])
        if known and self.draw(st.integers(0, 3)):
            name = self.draw(st.sampled_from(known))
            if kind in "ixd" and not self.draw(st.integers(0, 12)):
                known.remove(name)
                return f"del {name}"
            return self.fill(self.draw(st.sampled_from(CHANGE[kind])), name)
        name = f"{kind}{self.draw(st.integers(0, 1))}{self.tail}"
        text = self.fill(self.draw(st.sampled_from(FIRST[kind])), name)
        if name not in known:
            known.append(name)
        return text

    def fill(self, template: str, name: str) -> str:
        given = {kind: self.value(kind) for kind in "ifsx"}
        return template.format(a=name, **given)

    def value(self, kind: str) -> str:
        known = self.known.get(kind)
        if known and self.draw(st.integers(0, 2)):
            return self.draw(st.sampled_from(known))
        return {"i": "4", "f": "0.25", "s": "'w'", "x": "[4, 1]"}[kind]


COUNTER = itertools.count()


@st.composite
def notebooks(draw: Any) -> list[list[tuple[str, str]]]:
    return [Writer(draw, f"_{chain}_N").cells() for chain in range(4)]


def check(shell: Any, chains: list[list[tuple[str, str]]]) -> None:
    tail = str(next(COUNTER))
    chains = [
        [(name.replace("_N", tail), cell.replace("_N", tail)) for name, cell in chain] for chain in chains
    ]
    for number, (name, cell) in enumerate(itertools.chain.from_iterable(chains)):
        shell.run(cell, cell_id=f"{tail}-{number}")
        assert not name or name in shell.kernel.notebook.components, cell
    chains = [[(name, cell) for name, cell in chain if name] for chain in chains]
    wanted = {name: shell[f"seen_{name}"] for chain in chains for name, _ in chain}
    shell.run(f"%kf_pipeline whole{tail} {' '.join(wanted)}")
    try:
        outputs = shell.submit(f"whole{tail}").outputs
    except RunFailed as failed:
        raise AssertionError(f"{failed}\n{text_of(chains)}") from failed
    for chain in chains:
        differ = [name for name, _ in chain if outputs[name][f"seen_{name}"] != wanted[name]]
        if differ and not reported(shell, chain):
            name = differ[0]
            raise AssertionError(
                f"{name}: {wanted[name]} here, {outputs[name]} in the pipeline\n{text_of([chain])}"
            )


def text_of(chains: list[list[tuple[str, str]]]) -> str:
    return "\n".join(cell for chain in chains for _, cell in chain)


def reported(shell: Any, chain: list[tuple[str, str]]) -> bool:
    notes = [note for name, _ in chain for note in shell.component(name).notes]
    return any("one object" in note or " has changed since cell " in note for note in notes)


def run_examples(shell: Any, count: int, *, derandomize: bool) -> None:
    shell.run(HELPERS, cell_id="helpers")

    @settings(
        max_examples=count,
        derandomize=derandomize,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],  # shrinking runs pipelines for minutes; a chain is short
    )
    @given(notebooks())
    def examples(chains: list[list[tuple[str, str]]]) -> None:
        check(shell, chains)

    examples()


def test_a_pipeline_makes_the_kernels_values(shell: Any) -> None:
    run_examples(shell, 12, derandomize=True)


@pytest.mark.slow
def test_many_pipelines_make_the_kernels_values(shell: Any) -> None:
    run_examples(shell, int(os.environ.get("KFNB_EXAMPLES", "30")), derandomize="CI" in os.environ)
