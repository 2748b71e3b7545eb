"""The processes of a training, as what they reported adds up.

What is new of a process: ``state``, ``host``, ``exit`` (its exit code), ``restarts``, ``started``, ``finished``,
``progress``, ``step``, ``rate``, ``expected``, ``memory``, ``peak``, ``cpu``, ``metrics``, ``silent`` (see
``Rank``), and ``points``, metrics with their steps. What is unknown is left out. A metric
that is not finite is its text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from kfnb.entities import Rank, RunState
from kfnb.text import finite

Curves = Mapping[str, tuple[tuple[float, float], ...]]

MOST = 200
"""Points that a curve keeps."""

_FIELDS = (
    *("host", "restarts", "started", "finished", "progress", "step", "silent"),
    *("rate", "expected", "memory", "peak", "cpu"),
)


def merged(ranks: tuple[Rank, ...], news: Mapping[str, Mapping[str, Any]]) -> tuple[Rank, ...]:
    """The ranks with what is new of some, in the order of their numbers."""
    known = {one.number: one for one in ranks}
    for number, facts in news.items():
        rank = known.get(int(number), Rank(int(number)))
        fields = {name: facts[name] for name in _FIELDS if name in facts}
        fields |= {"state": RunState(facts["state"])} if "state" in facts else {}
        fields |= {"exit_code": facts["exit"]} if "exit" in facts else {}
        metrics = {**rank.metrics, **_read(facts.get("metrics", {}))}
        curves = _extended(rank.curves, facts.get("points", ()))
        known[rank.number] = replace(rank, **fields, metrics=metrics, curves=curves)
    return tuple(known[number] for number in sorted(known))


def news(old: tuple[Rank, ...], new: tuple[Rank, ...]) -> dict[str, dict[str, Any]]:
    """What is new of the ranks, by their numbers: ``merged`` makes the ``new`` ones of the ``old`` ones."""
    before = {one.number: one for one in old}
    found = {}
    for rank in new:
        known = before.get(rank.number, Rank(rank.number))
        if known != rank or rank.number not in before:
            facts = {name: getattr(rank, name) for name in _FIELDS}
            facts |= {"state": str(rank.state), "exit": rank.exit_code, "metrics": _written(rank.metrics)}
            found[str(rank.number)] = {**facts, "points": _added(known.curves, rank.curves)}
    return found


def ended(ranks: tuple[Rank, ...]) -> tuple[Rank, ...]:
    """The ranks of a task that is over: where the end of one was not reported, their launcher was killed."""
    lost = RunState.CANCELED
    return tuple(one if one.state.finished else replace(one, state=lost) for one in ranks)


def _extended(curves: Curves, points: Iterable[Any]) -> Curves:
    """The curves with some more points, thinned."""
    new: dict[str, list[tuple[float, float]]] = {}
    for step, values in points:
        for name, value in _read(values).items():
            new.setdefault(name, []).append((step, value))
    return {**curves, **{name: _thinned([*curves.get(name, ()), *some]) for name, some in new.items()}}


def _thinned(curve: list[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """At most ``MOST`` points of a curve, the first and the last among them."""
    while len(curve) > MOST:
        curve = [*curve[:-1:2], curve[-1]]
    return tuple(curve)


def _added(
    old: Mapping[str, tuple[tuple[float, float], ...]], new: Mapping[str, tuple[tuple[float, float], ...]]
) -> list[tuple[float, dict[str, float]]]:
    """The points of the ``new`` curves beyond the last steps of the ``old`` ones."""
    last = {name: curve[-1][0] for name, curve in old.items() if curve}
    return [
        (step, _written({name: value}))
        for name, curve in new.items()
        for step, value in curve
        if name not in last or step > last[name]
    ]


def _read(metrics: Mapping[str, Any]) -> dict[str, Any]:
    return {name: finite.read(value) for name, value in metrics.items()}


def _written(metrics: Mapping[str, Any]) -> dict[str, Any]:
    return {name: finite.written(value) for name, value in metrics.items()}
