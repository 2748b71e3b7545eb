"""Why a notebook does not run yet: the newest event of its pod or its owner."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from kfnb.errors import BackendError
from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.remote.kubernetes.fields import Item
from kfnb.remote.kubernetes.pods import NORMAL, Diagnosis, PodState, brief, explained, time_of
from kfnb.resources.notebooks.model import Notebook, NotebookState
from kfnb.text.timestamps import seconds


def reason_of(found: Diagnosis) -> str:
    """Why a notebook does not run, and what can be done."""
    return "; ".join(filter(None, (found.message, found.hint if found.stuck else "")))


def explained_notebook(kubernetes: Kubernetes, notebook: Notebook, concerned: Iterable[str]) -> Notebook:
    """A notebook that does not run yet, with the reason: from its status, or else from the newest event."""
    starts = notebook.state in (NotebookState.STARTING, NotebookState.FAILING)
    if not starts or notebook.why not in NORMAL:
        return replace(notebook, why=brief(notebook.why))
    events = [one for name in concerned for one in _events(kubernetes, notebook.namespace, name)]
    recent = [one for one in events if (seconds(time_of(one)) or 0) >= (notebook.created or 0)]
    found = explained(Diagnosis(PodState.STARTING), recent)
    if found.stuck:
        return replace(notebook, state=NotebookState.FAILING, why=reason_of(found))
    newest = max(recent, key=time_of, default={})
    return replace(notebook, why=found.message or brief(str(newest.get("message", ""))))


def _events(kubernetes: Kubernetes, namespace: str, name: str) -> list[Item]:
    """The relevant events: all of a pod, and the warnings of its owner."""
    path = f"/api/v1/namespaces/{namespace}/events"
    try:
        found = kubernetes.get(path, {"fieldSelector": f"involvedObject.name={name}"}).get("items") or ()
    except BackendError:  # hidden: the reason is not known
        return []
    return [
        one for one in found if one.get("type") == "Warning" or one["involvedObject"].get("kind") == "Pod"
    ]
