"""Completion of kettles."""

from __future__ import annotations

from kfnb.commands.completion import Values, asked
from tests.registry.kettles import api

VALUES: dict[str, Values] = {
    "kettle": lambda _found, around: [
        *around.named("KettleHandle"),
        *asked("kettles", lambda: (one.name for one in api.kettles())),
    ]
}
