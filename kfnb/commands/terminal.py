"""A command in a terminal: results on stdout, all else on stderr, with the terminal's own words in advice."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kfnb import registry
from kfnb.commands.display import as_json, bundle
from kfnb.commands.session import Cells, FollowOptions, Prompt
from kfnb.errors import KfnbError, UsageError

_SETTINGS = re.compile(r"%kf_config((?: \w+=[^\s,;)]+)+| \w+)")
_MAGIC = re.compile(r"(?<!%)%(kf_\w+)")
_CLEAR = "\x1b[H\x1b[2J"


def notify(text: str) -> None:
    """Print a message, which is not the result, on stderr; without control characters."""
    from kfnb.ui.words import clean

    print(clean(in_terminal(text)), file=sys.stderr)


def print_error_as_json(error: KfnbError) -> None:
    """Print an error on stdout, where ``--json`` prints the result: in one line, as some results are."""
    facts = {name: in_terminal(text) for name, text in error.as_dict().items()}
    print(json.dumps({"error": facts}))


def in_terminal(text: str) -> str:
    """Advice as a terminal takes it: ``KFNB_CONTEXT=X`` for ``%kf_config context=X``, ``kfnb X`` for ``%kf_X``."""
    return _MAGIC.sub(_verb, _SETTINGS.sub(_variables, text))


def _variables(found: re.Match[str]) -> str:
    settings = (word.partition("=") for word in found[1].split())
    return " ".join(f"KFNB_{name.upper()}{equals}{value}" for name, equals, value in settings)


def _verb(found: re.Match[str]) -> str:
    """The verb of a magic; what only a notebook can do keeps its magic's name."""
    _, row = registry.magics().get(found[1], {}).get("line", (None, None))
    return f"kfnb {row.verb}" if row is not None and row.verb else found[0]


class Terminal:
    """The session of a verb. ``code`` is the exit code that it comes to."""

    tail: int | None = None
    line = ""
    body = ""
    bind: str | None = None

    def __init__(self, prog: str, *, json: bool = False) -> None:
        self.prog = prog
        self.json = json  # whether results are printed as JSON
        self.names: Mapping[str, Any] = {}
        self.code = 0

    @property
    def cells(self) -> Cells:
        """There are none."""
        raise UsageError(f"{self.prog} needs a notebook")

    @property
    def prompt(self) -> Prompt | None:
        """Questions are asked where a person types."""
        return input if sys.stdin is not None and sys.stdin.isatty() else None

    def notify(self, text: str) -> None:
        """Print it on stderr."""
        notify(text)

    def out(self, text: str, *, at_once: bool = False) -> None:
        """Print a line on stdout."""
        print(text, flush=at_once)

    def announce(self, text: str) -> None:
        """A terminal shows what comes of it soon enough."""

    def started(self, handle: Any) -> None:
        """There are no names to bind it to."""

    def fail(self) -> None:
        """The exit code is 1."""
        self.code = 1

    def show(self, result: Any) -> None:
        """Print a command's result, as it is drawn or as JSON."""
        if result is not None:
            print(self._text(result))

    def _text(self, result: Any, *, indent: int | None = 2) -> str:
        return in_terminal(as_json(result, indent=indent) if self.json else bundle(result)["text/plain"])

    def follow(self, following: FollowOptions) -> Any:
        """Print progress lines on stderr until its end, at most one a second, and each note once."""
        notify(following.begun)
        try:
            last = self._last(following)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"\n{following.interrupted}") from None
        following.after()
        if not following.succeeded(last):
            self.fail()
        return following.handle

    def _last(self, following: FollowOptions) -> Any:
        """The last update; the line of each is printed if it differs from the line before."""
        printed, when, noted, now = "", float("-inf"), set[str](), None
        waiting = ""
        for now in following.updates():
            for note in following.notes(now):
                if note not in noted:
                    notify(f"note: {note}")
                noted.add(note)
            waiting = following.line(now)
            if waiting != printed and time.monotonic() - when >= 1:
                notify(waiting)
                printed, when = waiting, time.monotonic()
        if waiting != printed:
            notify(waiting)
        return now

    def repeat(self, once: Callable[[], Any], again: Callable[[], Iterator[Any]]) -> Any:
        """Print updates until interrupted; as JSON, one line each."""
        del once  # only called when the user requested repetition
        try:
            for one in again():
                if sys.stdout.isatty() and not self.json:
                    print(_CLEAR, end="")
                # a line each time, so that who reads them knows where one ends
                print(self._text(one, indent=None), flush=True)
        except KeyboardInterrupt:
            print()
