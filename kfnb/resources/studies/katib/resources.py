"""Katib's custom resources in one namespace, as they are asked for; refusals become errors of studies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from kfnb.errors import Absent, BackendError, Conflict, StudyNotFound, did_you_mean
from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.remote.kubernetes.errors import Expired
from kfnb.remote.kubernetes.fields import Item
from kfnb.remote.kubernetes.watch import events, watching

_LABEL = "katib.kubeflow.org/experiment={}"
_WAIT = 1
"""Seconds that a poll waits for changes; Kubernetes takes no less."""
_NOT_INSTALLED = (
    "Katib is not installed in this cluster: it has no Experiments (kubeflow.org/v1beta1). Ask its administrator for "
    "Katib, or search here: --backend local"
)


class Resources:
    """The Experiments, Trials and Suggestions of a ``namespace``. Every error is a ``BackendError``."""

    def __init__(self, kubernetes: Kubernetes, namespace: str) -> None:
        self.kubernetes, self.namespace = kubernetes, namespace
        self._base = f"/apis/kubeflow.org/v1beta1/namespaces/{namespace}"

    def experiments(self) -> list[Item]:
        """All Experiments."""
        with self._in_words():
            return list(self.kubernetes.list(f"{self._base}/experiments"))

    def experiment(self, name: str) -> Item:
        """An Experiment. Raises ``StudyNotFound``."""
        with self._in_words(name):
            return self.kubernetes.get(self._one(name))

    def suggestion(self, name: str) -> Item | None:
        """The Suggestion of an Experiment; None while there is none, and where it may not be read."""
        with suppress(BackendError):
            return self.kubernetes.get(f"{self._base}/suggestions/{name}")
        return None

    def create(self, written: Item, *, dry_run: bool = False) -> None:
        """Make an Experiment."""
        name = written["metadata"]["name"]
        try:
            with self._in_words():
                self.kubernetes.create(f"{self._base}/experiments", written, dry_run=dry_run)
        except Conflict as conflict:
            if not conflict.exists:
                raise
            raise BackendError(
                f"study {name} already exists in namespace {self.namespace}:",
                code="conflict",
                hint="choose another name, or delete that study",
                ref=name,
            ) from None

    def change(self, name: str, fields: Item) -> None:
        """Change fields of an Experiment."""
        with self._in_words(name):
            self.kubernetes.patch(self._one(name), fields)

    def delete(self, name: str) -> None:
        """Delete an Experiment, and with it its Trials and what they own."""
        with self._in_words(name):
            self.kubernetes.delete(self._one(name))

    def trials(self, experiment: str) -> tuple[tuple[Item, ...], str]:
        """The Trials of an Experiment as they are at one moment, and its version."""
        with self._in_words(experiment):
            return self.kubernetes.snapshot(f"{self._base}/trials", self._of(experiment))

    def changes(self, experiment: str, version: str) -> Iterator[tuple[str, Item]]:
        """What happens to the Trials of an Experiment after a version, for a second: a word, and the Trial.

        ``BOOKMARK`` tells of a version alone. Raises ``Expired`` where the version is too old.
        """
        path = f"{self._base}/trials"
        query = watching(self._of(experiment), version, _WAIT)
        with self._in_words(experiment):
            yield from events(self.kubernetes.lines(path, query), path, self.kubernetes.host)

    def _of(self, experiment: str) -> dict[str, Any]:
        return {"labelSelector": _LABEL.format(experiment)}

    def _one(self, name: str) -> str:
        return f"{self._base}/experiments/{name}"

    @contextmanager
    def _in_words(self, name: str = "") -> Iterator[None]:
        try:
            yield
        except Expired:
            raise
        except Absent as absent:
            if absent.kind == "resource":
                raise BackendError(_NOT_INSTALLED) from None
            if not name or absent.kind != "object":
                raise
            raise StudyNotFound(
                f"unknown study {name} in namespace {self.namespace}", hint=self._close(name), ref=name
            ) from None

    def _close(self, name: str) -> str:
        with suppress(BackendError):
            there = [one["metadata"]["name"] for one in self.experiments()]
            return did_you_mean(name, there)
        return ""
