"""Runs that words of commands name."""

from __future__ import annotations

from collections.abc import Sequence

from kfnb import entities
from kfnb.commands.bound_names import bound_to, resolved
from kfnb.commands.session import Session
from kfnb.errors import RunNotFound, did_you_mean
from kfnb.resources.runs import api
from kfnb.resources.runs.handle import Run

ONE_OF_SEVERAL = "a run's id, or the start of it"


def handle_of(session: Session, text: str) -> Run:
    """The run for a word: a name that is bound to a run, an id, or the start of an id. Raises ``RunNotFound``."""
    try:
        return api.handles(resolved(session.names, text, Run, entities.RunSnapshot))[0]
    except RunNotFound as missing:
        hint = "; ".join(
            filter(None, (missing.hint, did_you_mean(text, bound_to(session.names, Run.__name__))))
        )
        raise RunNotFound(missing.message, hint=hint, ref=missing.ref) from None


def handles_of(session: Session, texts: Sequence[str]) -> list[Run]:
    """The runs for words, each once."""
    return list({run.id: run for run in (handle_of(session, text) for text in texts)}.values())
