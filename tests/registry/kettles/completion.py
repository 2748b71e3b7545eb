"""Completion of kettles."""

from __future__ import annotations

from kfnb.commands import completion
from kfnb.commands.completion import Values
from tests.registry.kettles import api

VALUES: dict[str, Values] = {
    "kettle": lambda _found, around: [
        *around.named("KettleHandle"),
        *completion.answers("kettles", lambda: (one.name for one in api.kettles())),
    ]
}
