"""Completion of schedules."""

from __future__ import annotations

from kfnb.commands.completion import Values, asked
from kfnb.resources.schedules import api

VALUES: dict[str, Values] = {
    "schedule": lambda _found, _around: asked("schedules", lambda: (one.id for one in api.schedules()))
}
