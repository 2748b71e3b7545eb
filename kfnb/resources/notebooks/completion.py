"""Completion of notebooks on the cluster."""

from __future__ import annotations

from kfnb.commands import completion
from kfnb.commands.completion import Values
from kfnb.resources.notebooks import api

VALUES: dict[str, Values] = {
    "notebook": lambda _found, _around: completion.answers(
        "notebooks", lambda: (one.name for one in api.notebooks())
    )
}
