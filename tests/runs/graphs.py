"""Pipelines as plain descriptions: drawn by hypothesis, and written in KFP's DSL.

It is a tree of the classes below; ``test_semantics.py`` defines its meaning. Every node has a number, by which
others refer to what it made.
"""

# steps are as a notebook's user writes them, or as KFP wants them
# ruff: noqa: B006, UP006, UP035

import inspect
import operator
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, List, TypeAlias

from hypothesis import assume
from hypothesis import strategies as st
from kfp import dsl
from kfp.compiler.compiler_utils import InvalidTopologyException
from kfp.dsl.tasks_group import InvalidControlFlowException
from kfp.dsl.types.type_utils import InconsistentTypeException
from local_runs import spec_of
from steps import component


@dataclass(frozen=True)
class Const:
    value: Any


@dataclass(frozen=True)
class Param:
    name: str


@dataclass(frozen=True)
class Made:
    """What the call, the branches (by OneOf) or the nested pipeline ``node`` made; ``each``: in every iteration."""

    node: int
    each: bool = False


@dataclass(frozen=True)
class Item:
    loop: int
    field: str = ""


@dataclass(frozen=True)
class Text:
    """A text that ``of`` stands in."""

    of: "Ref"


@dataclass(frozen=True)
class Pair:
    """A list of two."""

    first: "Ref"
    second: "Ref"


Ref: TypeAlias = Const | Param | Made | Item | Text | Pair


@dataclass(frozen=True)
class Call:
    node: int
    op: str
    args: dict[str, Ref]
    bad: int = -1
    anyway: bool = False
    after: tuple[int, ...] = ()
    retries: int = 0


@dataclass(frozen=True)
class Branches:
    """If, Elif, Else: a body more than conditions where there is an Else. ``chosen``: of each body, for OneOf."""

    node: int
    conditions: tuple[tuple[Ref, str, Ref], ...]
    bodies: tuple["Body", ...]
    chosen: tuple[int, ...] = ()


@dataclass(frozen=True)
class Loop:
    node: int
    items: Ref
    body: "Body"
    limit: int = 0


@dataclass(frozen=True)
class Exit:
    """An ExitHandler: its task tells how the body ended."""

    node: int
    body: "Body"


@dataclass(frozen=True)
class Pipeline:
    """A pipeline, or one within another: ``args`` are what it is called with, ``result`` what it returns."""

    node: int
    args: dict[str, Ref]
    body: "Body"
    result: Ref | None = None
    anyway: bool = False


Node: TypeAlias = Call | Branches | Loop | Exit | Pipeline
Body: TypeAlias = tuple[Node, ...]

# what the calls do, here and as components


def calc(a: int = 7, b: int = 5, bad: int = -1) -> int:
    value = (3 * a + b) % 10
    if bad in (value, 10):
        raise ValueError(f"{value} is bad")
    return value


def span(a: int = 2) -> List[int]:
    return list(range(a % 4))


def tag(a: int = 0, s: str = "none") -> str:
    return f"{s}{a}"


def total(values: list = [9]) -> int:
    flat = list(values)  # int() takes no lists: what loops within loops have collected is flat
    return (sum(map(int, flat)) + 5 * sum(type(value) is str for value in flat)) % 10


def tell(status: dsl.PipelineTaskFinalStatus) -> str:
    return status.state


OPS = {function.__name__: function for function in (calc, span, tag, total)}
_COMPONENTS = {name: component(function) for name, function in OPS.items()}
_tell = component(tell)

DEFAULTS = {"x": 3, "y": 4, "items": [1, 2], "word": "w"}


def inside(node: Node) -> Iterator[int]:
    """The numbers of a node and of all in it that others may refer to; a nested pipeline's insides are its own."""
    yield node.node
    for inner in bodies(node):
        for one in inner:
            yield from inside(one)


def bodies(node: Node) -> tuple[Body, ...]:
    """The bodies that share their scope with the node's."""
    if isinstance(node, Branches):
        return node.bodies
    return (node.body,) if isinstance(node, Loop | Exit) else ()


def refers(node: Node) -> Iterator[int]:
    """The numbers of what a node and all in it refers to."""
    if isinstance(node, Call | Pipeline):
        refs = list(node.args.values())
    elif isinstance(node, Branches):
        refs = [ref for left, _, right in node.conditions for ref in (left, right)]
    else:
        refs = [node.items] if isinstance(node, Loop) else []
    for ref in refs:
        yield from _made(ref)
    yield from node.after if isinstance(node, Call) else ()
    for body in bodies(node):
        for one in body:
            yield from refers(one)


def _pipelines(body: Body) -> Iterator[Pipeline]:
    """The pipelines that a body calls, within its groups too."""
    for node in body:
        if isinstance(node, Pipeline):
            yield node
        for inner in bodies(node):
            yield from _pipelines(inner)


def _made(ref: Ref) -> Iterator[int]:
    if isinstance(ref, Made):
        yield ref.node
    elif isinstance(ref, Text):
        yield from _made(ref.of)
    elif isinstance(ref, Pair):
        yield from (*_made(ref.first), *_made(ref.second))


# as KFP's DSL

RELATIONS = {"==": operator.eq, "!=": operator.ne, "<": operator.lt, ">=": operator.ge}


class Written:
    """A description as a KFP pipeline (``pipeline``), and the names that its tasks have got, by number."""

    def __init__(self, described: Pipeline) -> None:
        self.names: dict[int, str] = {}
        self._values: dict[Any, Any] = {}
        self.pipeline = self._define(described)

    def _define(self, described: Pipeline) -> Any:
        nested = {one.node: self._define(one) for one in _pipelines(described.body)}

        def pipeline(x: int = 3, y: int = 4, items: List[int] = [1, 2], word: str = "w"):
            self._values = {"x": x, "y": y, "items": items, "word": word, "nested": nested}
            self._body(described.body)
            return None if described.result is None else self._ref(described.result)

        if described.result is not None:
            many = isinstance(described.result, Made) and described.result.each
            pipeline.__annotations__["return"] = list if many else int
        return dsl.pipeline(name=f"graph-{described.node}")(pipeline)

    def _body(self, body: Body) -> None:
        for node in body:
            getattr(self, f"_{type(node).__name__.lower()}")(node)

    def _call(self, node: Call) -> None:
        bad = {"bad": node.bad} if node.op == "calc" else {}
        task = _COMPONENTS[node.op](**self._args(node), **bad)
        task.after(*(self._values[one, "task"] for one in node.after))
        if node.retries:
            task.set_retry(node.retries, backoff_duration="0s")
        self._made(node, task)

    def _pipeline(self, node: Pipeline) -> None:
        self._made(node, self._values["nested"][node.node](**self._args(node)))

    def _branches(self, node: Branches) -> None:
        tests = [self._test(*one) for one in node.conditions]
        for number, body in enumerate(node.bodies):
            kind = dsl.Elif if number else dsl.If
            with kind(tests[number]) if number < len(tests) else dsl.Else():
                self._body(body)
        if node.chosen:
            self._values[node.node] = dsl.OneOf(*(self._values[one] for one in node.chosen))

    def _test(self, left: Ref, relation: str, right: Ref) -> Any:
        return RELATIONS[relation](self._ref(left), self._ref(right))

    def _loop(self, node: Loop) -> None:
        with dsl.ParallelFor(self._ref(node.items), parallelism=node.limit) as item:
            self._values[node.node, "item"] = item
            self._body(node.body)

    def _exit(self, node: Exit) -> None:
        task = _tell()
        self.names[node.node] = task.name
        with dsl.ExitHandler(task):
            self._body(node.body)

    def _made(self, node: Call | Pipeline, task: Any) -> None:
        if node.anyway:
            task.ignore_upstream_failure()
        self.names[node.node] = task.name
        self._values[node.node, "task"] = task
        if task.outputs:
            self._values[node.node] = task.output

    def _args(self, node: Call | Pipeline) -> dict[str, Any]:
        return {name: self._ref(ref) for name, ref in node.args.items()}

    def _ref(self, ref: Ref) -> Any:
        match ref:
            case Const(value):
                return value
            case Param(name):
                return self._values[name]
            case Made(node, each):
                return dsl.Collected(self._values[node]) if each else self._values[node]
            case Item(loop, field):
                item = self._values[loop, "item"]
                return getattr(item, field) if field else item
            case Text(of):
                return f"<{self._ref(of)}>"
            case Pair(first, second):
                return [self._ref(first), self._ref(second)]


# drawn

INTS = st.integers(0, 9)
TEXTS = st.text("ab'\"\\ \u00e9\n", max_size=4)
_FEW = st.lists(INTS, max_size=3)
_FIELDS = {"a": INTS, "k": _FEW}
_BAD = st.sampled_from([-1, -1, -1, *range(11)])


@dataclass
class _Scope:
    """What a node may refer to, by type; ``calls`` are those that it may come after.

    ``looped`` are the lists that are looped over around it: KFP gives two loops over one list one name for their items.
    """

    ints: list[Ref] = field(default_factory=lambda: [Param("x"), Param("y")])
    texts: list[Ref] = field(default_factory=lambda: [Param("word")])
    lists: list[Ref] = field(default_factory=lambda: [Param("items")])
    calls: list[int] = field(default_factory=list)
    looped: list[Ref] = field(default_factory=list)

    @property
    def collected(self) -> list[Ref]:
        """Those of the lists that loops have made."""
        return [ref for ref in self.lists if isinstance(ref, Made) and ref.each]

    def inner(self) -> "_Scope":
        return _Scope([*self.ints], [*self.texts], [*self.lists], [*self.calls], [*self.looped])


class _Artist:
    """Draws one graph, of so many nodes at most."""

    def __init__(self, draw: st.DrawFn, nodes: int) -> None:
        self._draw = draw
        self._left = nodes
        self._count = 0

    def pipeline(self, depth: int, args: dict[str, Ref], *, root: bool = False) -> Pipeline:
        node, scope = self._number(), _Scope()
        body = self.body(scope, depth, root=root)
        results = [ref for ref in (*scope.ints, *(scope.lists if root else ())) if _returnable(ref, body)]
        result = self._draw(st.sampled_from(results)) if results else None
        anyway = set(args) == set(DEFAULTS) and self._draw(st.booleans())  # KFP wants them all given
        return Pipeline(node, args, body, result, anyway)

    def body(self, scope: _Scope, depth: int, *, root: bool = False) -> Body:
        nodes: list[Node] = []
        while not nodes or (self._left > 0 and self._draw(st.booleans())):
            kinds = ["call", "call", *(["loop", "loop", "branches", "nested"] if depth else [])]
            kind = (
                self._draw(st.sampled_from([*kinds, *(["exit"] if root else [])])) if self._left else "call"
            )
            self._left -= 1
            nodes.append(getattr(self, f"_{kind}")(scope, depth - 1))
        return tuple(nodes)

    def _call(self, scope: _Scope, _: int, op: str = "") -> Call:
        node = self._number()
        ops = ["calc", "calc", "total", "tag", "span", *(["total"] * 5 if scope.collected else [])]
        op = op or self._draw(st.sampled_from(ops))
        kinds = {"a": self._int, "b": self._int, "s": self._text, "values": self._list}
        names = [name for name in kinds if name in inspect.signature(OPS[op]).parameters]
        args = {name: kinds[name](scope) for name in names}
        after = self._draw(st.lists(st.sampled_from(scope.calls), max_size=1)) if scope.calls else []
        call = Call(
            node,
            op,
            args,
            bad=self._draw(_BAD) if op == "calc" else -1,
            anyway=self._draw(st.sampled_from([False, False, True])),
            after=tuple(after),
            retries=self._draw(st.sampled_from([0, 0, 0, 1])),
        )
        {"calc": scope.ints, "total": scope.ints, "tag": scope.texts, "span": scope.lists}[op].append(
            Made(node)
        )
        scope.calls.append(node)
        return call

    def _nested(self, scope: _Scope, depth: int) -> Pipeline:
        kinds = {"x": self._int, "y": self._int, "items": self._list_itself, "word": self._text_itself}
        given = self._draw(st.just(list(kinds)) | st.lists(st.sampled_from(list(kinds)), unique=True))
        made = self.pipeline(depth, {name: kinds[name](scope) for name in given})
        scope.calls.append(made.node)
        if made.result is not None:
            scope.ints.append(Made(made.node))
        return made

    def _branches(self, scope: _Scope, depth: int) -> Branches:
        node = self._number()
        conditions = [self._condition(scope) for _ in range(self._draw(st.integers(1, 2)))]
        one_of = self._draw(st.booleans())
        otherwise = one_of or self._draw(st.booleans())
        bodies = [self._branch(scope.inner(), depth, one_of) for _ in range(len(conditions) + otherwise)]
        if not one_of:
            return Branches(node, tuple(conditions), tuple(bodies))
        scope.ints.append(Made(node))
        return Branches(node, tuple(conditions), tuple(bodies), tuple(body[-1].node for body in bodies))

    def _branch(self, scope: _Scope, depth: int, one_of: bool) -> Body:
        body = self.body(scope, depth)
        return (*body, self._call(scope, depth, "calc")) if one_of else body

    def _condition(self, scope: _Scope) -> tuple[Ref, str, Ref]:
        if self._draw(st.booleans()):
            left = self._draw(st.sampled_from(scope.ints))
            return left, self._draw(st.sampled_from(list(RELATIONS))), self._int(scope)
        texts = [Const("a0"), *scope.texts]
        left = self._draw(st.sampled_from(scope.texts))
        return left, self._draw(st.sampled_from(["==", "!="])), self._draw(st.sampled_from(texts))

    def _loop(self, scope: _Scope, depth: int) -> Loop:
        node, inner = self._number(), scope.inner()
        if self._draw(st.booleans()):
            name = self._draw(st.sampled_from(list(_FIELDS)))
            fields = st.fixed_dictionaries(
                {name: _FIELDS[name]}
            )  # KFP takes all fields for the first one's type
            items: Ref = Const(self._draw(st.lists(fields, min_size=1, max_size=2)))
            {"a": inner.ints, "k": inner.lists}[name].append(Item(node, name))
        else:
            # KFP makes text of the items of a list whose elements have no declared type
            typed = [ref for ref in scope.lists if not isinstance(ref, Item)]
            over = [ref for ref in typed if ref not in scope.looped and not getattr(ref, "each", False)]
            literal = st.builds(Const, st.lists(INTS, min_size=1, max_size=3))
            items = self._draw(st.sampled_from(over) | literal if over else literal)
            inner.ints.append(Item(node))
        inner.looped.append(items)
        body = self.body(inner, depth)
        scope.lists += [Made(one, each=True) for one in _numbers(body)]
        return Loop(node, items, body, self._draw(st.integers(0, 2)))

    def _exit(self, scope: _Scope, depth: int) -> Exit:
        return Exit(self._number(), self.body(scope.inner(), depth))

    def _int(self, scope: _Scope) -> Ref:
        return self._draw(
            st.sampled_from(scope.ints[-2:]) | st.sampled_from(scope.ints) | st.builds(Const, INTS)
        )

    def _text(self, scope: _Scope) -> Ref:
        made = st.builds(Text, st.sampled_from(scope.ints + scope.texts))
        return self._draw(made | st.just(self._text_itself(scope)))

    def _text_itself(self, scope: _Scope) -> Ref:
        """A text with no placeholders in it, which KFP does not fill for a pipeline."""
        return self._draw(st.sampled_from(scope.texts[::-1]) | st.builds(Const, TEXTS))

    def _list_itself(self, scope: _Scope) -> Ref:
        """A list of integers with no placeholders in it."""
        plain = [ref for ref in scope.lists[::-1] if ref not in scope.collected]
        literal = st.builds(Const, _FEW)
        return self._draw(st.sampled_from(plain) | literal if plain else literal)

    def _list(self, scope: _Scope) -> Ref:
        if scope.collected and self._draw(st.booleans()):
            return self._draw(st.sampled_from(scope.collected))
        return self._flat(scope)

    def _flat(self, scope: _Scope) -> Ref:
        ints = st.sampled_from(scope.ints)
        pairs = st.builds(Pair, ints, ints | st.builds(Const, INTS))
        plain = [ref for ref in scope.lists[::-1] if ref not in scope.collected]
        return self._draw(st.sampled_from(plain) | pairs if plain else pairs)

    def _number(self) -> int:
        self._count += 1
        return self._count


def _returnable(ref: Ref, body: Body) -> bool:
    """Whether a pipeline may return it."""
    spans = {one.node for one in body if isinstance(one, Call) and one.op == "span"}
    return isinstance(ref, Made) and ref.node not in spans


def _numbers(body: Body) -> Iterator[int]:
    """The calls and pipelines in a body that make integers, however deep."""
    for node in body:
        if (isinstance(node, Call) and node.op in ("calc", "total")) or (
            isinstance(node, Pipeline) and node.result is not None
        ):
            yield node.node
        for inner in bodies(node):
            yield from _numbers(inner)


_REFUSALS = (
    InconsistentTypeException,
    InvalidControlFlowException,
    InvalidTopologyException,
    AttributeError,
    AssertionError,
    IndexError,
    KeyError,
    NotImplementedError,
)


def _compiles(described: Pipeline) -> bool:
    """Whether KFP's compiler can say it.

    It confuses some branches within branches, loses some inputs of groups, puts some tasks into the group before them,
    and mixes up the branches of a pipeline and of another within it.
    """
    if _mixes_branches(described):
        return False
    try:
        written = Written(described)
        spec = spec_of(written.pipeline)
    except _REFUSALS:
        return False
    components = (spec["root"], *spec["components"].values())
    return all(map(_is_whole, components)) and _in_their_places(described, written, spec)


def _in_their_places(described: Pipeline, written: Written, spec: dict[str, Any]) -> bool:
    """Whether those calls share a group that share a body."""
    said = [
        [written.names[node.node] for node in body if isinstance(node, Call | Exit)]
        for body in _all_bodies(described.body)
    ]
    made = [
        [
            name
            for name, task in component.get("dag", {}).get("tasks", {}).items()
            if "dag" not in spec["components"][task["componentRef"]["name"]]
        ]
        for component in (spec["root"], *spec["components"].values())
    ]
    return sorted(map(sorted, filter(None, said))) == sorted(map(sorted, filter(None, made)))


def _all_bodies(body: Body) -> Iterator[Body]:
    """A body and all within it, those of pipelines too."""
    yield body
    for node in body:
        for inner in (node.body,) if isinstance(node, Pipeline) else bodies(node):
            yield from _all_bodies(inner)


def _mixes_branches(described: Pipeline) -> bool:
    """Whether a pipeline has branches, and a pipeline somewhere within it has too."""
    own = any(isinstance(node, Branches) for node in _of_its_own(described.body))
    inner = list(_pipelines(described.body))
    return any(_mixes_branches(one) or (own and _has_branches(one)) for one in inner)


def _has_branches(described: Pipeline) -> bool:
    own = any(isinstance(node, Branches) for node in _of_its_own(described.body))
    return own or any(_has_branches(one) for one in _pipelines(described.body))


def _of_its_own(body: Body) -> Iterator[Node]:
    """The nodes of a body, however deep, but for those of pipelines within."""
    for node in body:
        yield node
        if not isinstance(node, Pipeline):
            for inner in bodies(node):
                yield from _of_its_own(inner)


def _is_whole(component: dict[str, Any]) -> bool:
    """Whether a component has something to run, and every input that its tasks take from it."""
    if "dag" not in component and "executorLabel" not in component:
        return False
    has = component.get("inputDefinitions", {}).get("parameters", {})
    tasks = component.get("dag", {}).get("tasks", {}).values()
    sources = [source for task in tasks for source in task.get("inputs", {}).get("parameters", {}).values()]
    return all(source.get("componentInputParameter") in {None, *has} for source in sources)


@st.composite
def graphs(draw: st.DrawFn, nodes: int = 8) -> tuple[Pipeline, dict[str, Any]]:
    """A pipeline and the arguments that it is run with."""
    described = _Artist(draw, nodes).pipeline(3, {}, root=True)
    assume(_compiles(described))
    arguments = {"x": draw(INTS), "y": draw(st.integers(-9, 9)), "items": draw(_FEW), "word": draw(TEXTS)}
    return described, {name: value for name, value in arguments.items() if draw(st.booleans())}
