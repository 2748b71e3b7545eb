"""Completion of schedules."""

from __future__ import annotations

from kfnb.commands import completion
from kfnb.commands.completion import Values
from kfnb.resources.schedules import api

VALUES: dict[str, Values] = {
    "schedule": lambda _found, _around: completion.answers(
        "schedules", lambda: (one.id for one in api.schedules())
    )
}
