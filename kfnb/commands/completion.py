"""Completion: the words that fit, best first. It never raises, and never waits long for an answer.

The words of each kind are a noun's: its ``completion`` has them in ``VALUES``.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from kfnb import registry
from kfnb.commands.bound_names import bound_to
from kfnb.commands.expected import Expected, expected
from kfnb.commands.parser import Parser
from kfnb.diagnostics import logger
from kfnb.pipeline.workspace import Workspace

_logger = logger(__package__)

TIMEOUT = 0.2
"""Seconds that a completion waits for what must be requested: runs, studies, schedules, notebooks."""

_FRESH = 2.0


class SlowAnswers:
    """Answers that may be slow, by question. Each question is answered in a thread, one at a time.

    Where the answer takes longer than ``TIMEOUT`` seconds, that of before is given; the new one is there next time.
    """

    def __init__(self) -> None:
        self._answers: dict[Any, tuple[float, tuple[str, ...]]] = {}
        self._open: dict[Any, threading.Thread] = {}

    def __call__(self, question: Any, answer: Callable[[], Iterable[str]]) -> tuple[str, ...]:
        """The answer to a question."""
        return self.together({question: answer})

    def together(self, questions: Mapping[Any, Callable[[], Iterable[str]]]) -> tuple[str, ...]:
        """The answers to several questions, one after the other; they are waited for at once."""
        until = time.monotonic() + TIMEOUT
        for thread in [self._thread(*one) for one in questions.items()]:
            if thread is not None:
                thread.join(max(0.0, until - time.monotonic()))
        return tuple(word for question in questions for word in self._answers.get(question, (0.0, ()))[1])

    def _thread(self, question: Any, answer: Callable[[], Iterable[str]]) -> threading.Thread | None:
        """The thread that looks for the answer to a question; None if it is known."""
        if time.monotonic() - self._answers.get(question, (float("-inf"), ()))[0] < _FRESH:
            return None
        thread = self._open.get(question)
        if thread is None or not thread.is_alive():
            thread = threading.Thread(target=self._find, args=(question, answer), daemon=True)
            self._open[question] = thread
            thread.start()
        return thread

    def _find(self, question: Any, answer: Callable[[], Iterable[str]]) -> None:
        try:
            self._answers[question] = (time.monotonic(), tuple(answer()))
        except Exception:  # whatever a backend raises: there is nothing to offer then
            _logger.debug("What could be offered is not known.", exc_info=True)


answers = SlowAnswers()


@dataclass(frozen=True)
class Around:
    """Where words are completed: the ``workspace`` of a notebook, and its ``names``; nothing of both in a terminal."""

    workspace: Workspace | None = None
    names: Mapping[str, Any] = field(default_factory=dict)

    def named(self, kind: str) -> list[str]:
        """The notebook's names that are bound to an object of a class of that name: see ``bound_to``."""
        return bound_to(self.names, kind)


def complete(parser: Parser, before: Sequence[str], begun: str, around: Around) -> list[str]:
    """The words that may follow the words ``before`` and begin with ``begun``, best first."""
    try:
        found = expected(parser, before, begun)
        fitting = dict.fromkeys(word for word in _words(found, around) if word.startswith(found.begun))
    except Exception:  # a completion that cannot be made is none
        _logger.debug("No words can be offered here.", exc_info=True)
        return []
    lead = begun.removesuffix(found.begun) if found.begun else begun
    return [lead + word for word in fitting]


def _words(found: Expected, around: Around) -> Iterator[str]:
    if isinstance(found.values, tuple):
        yield from found.values
    else:
        yield from _values(found.values, found, around)
    if found.arguments:
        for name in _values("argument", found, around):
            if f"--{name}" not in found.given:
                yield f"--{name}"
    yield from found.options


def _values(kind: str, found: Expected, around: Around) -> Iterable[str]:
    """The words of a kind, as the noun that knows them has them."""
    values: Mapping[str, Values] = registry.noun_of_value(kind).module("completion").VALUES
    return values[kind](found, around)


Values: TypeAlias = Callable[[Expected, Around], Iterable[str]]
"""What gives the words of a kind, for what is expected at the cursor."""


def files(begun: str, endings: tuple[str, ...] = ()) -> Iterator[str]:
    """The files and folders whose paths begin so; folders only where some of the path is typed."""
    folder, _, start = begun.rpartition("/")
    place = Path(folder or ("/" if begun.startswith("/") else ".")).expanduser()
    lead = f"{folder}/" if "/" in begun else ""
    with os.scandir(place) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        if entry.name.startswith(".") and not start.startswith("."):
            continue
        if entry.is_dir():
            yield from [f"{lead}{entry.name}/"] if begun else []
        elif not endings or entry.name.endswith(endings):
            yield lead + entry.name
