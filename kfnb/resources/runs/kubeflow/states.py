"""States, and when they changed, as Kubeflow and Kubernetes write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kfnb.entities import RunState
from kfnb.text.timestamps import seconds

_STATES = {"ERROR": RunState.FAILED, **{state.value: state for state in RunState}}
"""The states by KFP's names; Argo's ERROR is a failure too."""


def state_named(word: Any) -> RunState | None:
    """A state by KFP's name; None for an unknown name."""
    return _STATES.get(word)


def history(thing: Mapping[str, Any]) -> list[tuple[str, float | None]]:
    """The states that a run or a row was in, each with the time since when the server has reported it."""
    return [
        (str(item.get("state", "")), seconds(item.get("update_time")))
        for item in thing.get("state_history") or ()
    ]
