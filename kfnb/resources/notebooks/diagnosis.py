"""Why a notebook does not run yet: the newest event of what stands behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from kfnb.cluster.kubernetes import Kubernetes
from kfnb.errors import BackendError
from kfnb.model.notebook import Notebook, NotebookState
from kfnb.resources.notebooks.times import moment

Item = Mapping[str, Any]
_REISSUED, _FAILED = ": ", " failed error: "
_LONGEST = 400
_VAGUE = ("", "ContainerCreating", "PodInitializing")
"""What a notebook says of itself that tells nothing."""
_HOPEFUL = "FailedScheduling"
"""The warning that is none: a machine may become free, or be added."""


def explained(kubernetes: Kubernetes, notebook: Notebook, concerned: Iterable[str]) -> Notebook:
    """A notebook that does not run yet, with why: what it says itself, or else the newest event."""
    starts = notebook.state in (NotebookState.STARTING, NotebookState.FAILING)
    if not starts or notebook.why not in _VAGUE:
        return replace(notebook, why=brief(notebook.why))
    events = [one for name in concerned for one in _events(kubernetes, notebook.namespace, name)]
    newest = max((one for one in events if _when(one) >= (notebook.created or 0)), key=_when, default=None)
    if newest is None:
        return notebook
    wrong = newest.get("type") == "Warning" and newest.get("reason") != _HOPEFUL
    state = NotebookState.FAILING if wrong else notebook.state
    return replace(notebook, state=state, why=brief(str(newest.get("message", ""))))


def brief(text: str) -> str:
    """A sentence of Kubernetes', without who passed it on, and without what would act on a terminal."""
    text = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    if text.startswith("Reissued from "):
        text = text.partition(_REISSUED)[2] or text
    text = text.partition(_FAILED)[2] or text
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]} ... {text[-_LONGEST // 2 :]}"


def _events(kubernetes: Kubernetes, namespace: str, name: str) -> list[Item]:
    """The events that tell something: of a pod all, of what makes the pod its warnings."""
    path = f"/api/v1/namespaces/{namespace}/events"
    try:
        found = kubernetes.get(path, {"fieldSelector": f"involvedObject.name={name}"}).get("items") or ()
    except BackendError:  # they are hidden: then nobody knows why
        return []
    return [
        one for one in found if one.get("type") == "Warning" or one["involvedObject"].get("kind") == "Pod"
    ]


def _when(event: Item) -> float:
    stamps = (event.get("lastTimestamp"), event.get("eventTime"), event["metadata"].get("creationTimestamp"))
    return next((at for stamp in stamps if stamp and (at := moment(stamp)) is not None), 0.0)
