"""A training as a whole, from what its processes tell: how far it is, how fast, and what it uses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from statistics import median
from typing import TypeVar

from kfnb.entities import Rank
from kfnb.ui.words import digits, duration, file_size

T = TypeVar("T")


def totals(ranks: Sequence[Rank], now: float) -> str:
    """One line, of what is known; empty where nothing is."""
    running = [one for one in ranks if not one.state.finished]
    return " · ".join(_progress(running, now) if running else _used(ranks))


def _progress(ranks: Sequence[Rank], now: float) -> Iterator[str]:
    """The ranks that run: the slowest one's progress, and what all of them use now."""
    done = _known(ranks, lambda one: one.progress)
    if done:
        yield f"{min(done):.0%} done"
    expected = _known(ranks, lambda one: one.expected)
    if expected and max(expected) > now:
        yield f"{duration(max(expected) - now)} left"
    rates = _known(ranks, lambda one: one.rate)
    if rates:
        yield f"{digits(median(rates), 3)} steps a second"
    memory = _known(ranks, lambda one: one.memory)
    if memory:
        yield f"{file_size(sum(memory))} of memory"
    cores = _known(ranks, lambda one: one.cpu)
    if cores:
        yield f"{sum(cores):.1f} cores"


def _used(ranks: Sequence[Rank]) -> Iterator[str]:
    """The ranks that have ended: what they used."""
    rates = _known(ranks, lambda one: one.rate)
    if rates:
        yield f"{digits(median(rates), 3)} steps a second"
    peaks = _known(ranks, lambda one: one.peak)
    if peaks:
        yield f"at most {file_size(sum(peaks))} of memory"
    cores = _known(ranks, lambda one: one.cpu)
    if cores:
        yield f"{sum(cores):.1f} cores on average"


def _known(ranks: Sequence[Rank], fact: Callable[[Rank], T | None]) -> list[T]:
    return [found for one in ranks if (found := fact(one)) is not None]
