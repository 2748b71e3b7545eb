"""Which lines of a log are shown, and how they are printed: for runs, trials and all else that writes one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kfnb.commands.command import option
from kfnb.commands.session import Session
from kfnb.commands.words import NOTEBOOK_TAIL
from kfnb.errors import UsageError
from kfnb.text.logs import Excerpt


def _tail(text: str) -> int | str:
    if text != "all" and not text.isdecimal():
        raise UsageError(f"--tail {text}: not a number of lines, or all")
    return text if text == "all" else int(text)


@dataclass(frozen=True, kw_only=True)
class LogOptions:
    """Which lines."""

    tail: int | str | None = option(
        metavar="N|all",
        values=("all",),
        type=_tail,
        help=f"the last N lines, or all of them (default: {NOTEBOOK_TAIL} in a notebook, all in a terminal)",
    )
    grep: str | None = option(
        metavar="PATTERN",
        help="lines that match this regular expression; case is ignored unless it has capitals",
    )
    level: str | None = option(
        metavar="LEVEL",
        values=("debug", "info", "warning", "error", "critical"),
        help="lines of at least this level: debug, info, warning, error or critical",
    )

    def last(self, session: Session) -> int | None:
        """How many of the last lines are shown; None for all."""
        if self.tail is None:
            return session.tail
        return None if self.tail == "all" else int(self.tail)


def print_excerpt(
    excerpt: Excerpt,
    session: Session,
    *,
    named: bool,
    at_once: bool = False,
    place: Callable[[], str] = lambda: "",
) -> None:
    """Print an excerpt, with ``named`` each line after its task; above it, what is left out and where all is."""
    shown = 0
    for line in excerpt:
        if not shown and excerpt.left_out:
            session.notify(_left_out(excerpt, place()))
        shown += 1
        session.out(f"{line.task}  {line.text}" if named else line.text, at_once=at_once)
    if not shown and excerpt.seen:
        session.notify(f"({_amount(excerpt)} were written, none of which match)")


def _left_out(excerpt: Excerpt, place: str) -> str:
    """How many lines precede those that are shown, of how many, and where all are."""
    others = f"{excerpt.left_out:,} more {'that match ' if excerpt.which else ''}before these"
    where = f"; the whole log is in {place}" if place else ""
    return f"({others}, of {_amount(excerpt)}: --tail N or --tail all shows more{where})"


def _amount(excerpt: Excerpt) -> str:
    return f"{excerpt.seen:,} lines ({excerpt.size / 1e6:,.1f} MB)"
