"""A new notebook: checked, tried in a dry run, and created with the volume of its home."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from kfnb.errors import Absent, BackendError, Conflict, UsageError
from kfnb.resources.cluster import identity
from kfnb.resources.cluster.probe import ProbeTarget
from kfnb.resources.notebooks.engine import NotebookEngine
from kfnb.resources.notebooks.model import DryRun, Notebook
from kfnb.resources.notebooks.notebook_v1 import NOTEBOOK
from kfnb.resources.notebooks.server_kind import ServerKind
from kfnb.resources.notebooks.spec import Claim, NotebookRequest
from kfnb.resources.notebooks.workspace_options import completed
from kfnb.resources.notebooks.workspace_v2 import WORKSPACE

Notify = Callable[[str], None]

_DELETED = "is being deleted"
"""How the server says that one of that name is there, but not for long."""


class NotebookCreation:
    """A new notebook in an engine's namespace; ``version`` as words have it, empty for what the cluster has.

    ``configurations`` are PodDefaults that its pod is to get. Raises ``UsageError`` for what would never start.
    """

    def __init__(
        self,
        engine: NotebookEngine,
        requested: NotebookRequest,
        version: str = "",
        configurations: tuple[str, ...] = (),
    ) -> None:
        self._engine, self._kubernetes = engine, engine.kubernetes
        self.kind = self._chosen(requested, version)
        labels = tuple(label for name in configurations for label in self._labels(name))
        requested = replace(requested, labels=requested.labels + labels)
        if self.kind is WORKSPACE:
            requested = completed(requested, self._kubernetes)
        self.requested = requested
        self.body = self.kind.body(requested, engine.namespace, self._user())
        self._check()

    def dry_run(self) -> DryRun:
        """What would be created, and whether the server accepts it."""
        import yaml

        namespace = self._engine.namespace
        bodies = [*([self.requested.claim.body(namespace)] if self.requested.claim else []), self.body]
        written = yaml.dump_all(bodies, sort_keys=False, Dumper=_dumper())
        try:
            if self.requested.claim and not self._there(self.requested.claim):
                self._kubernetes.create(self._claims, bodies[0], dry_run=True)
            self._create(dry_run=True)
        except BackendError as error:
            return DryRun(written, accepted=False, message=str(error))
        return DryRun(written, accepted=True, message="the server accepts it; nothing was created")

    def create(self, notify: Notify) -> Notebook:
        """Create it, and the volume first; ``notify`` prints what else happens. A failure leaves nothing behind."""
        self._create(dry_run=True)
        made = (
            self.requested.claim
            if self.requested.claim and self._make(self.requested.claim, notify)
            else None
        )
        try:
            found = self._create()
        except BackendError:
            if made:
                self._kubernetes.delete(f"{self._claims}/{made.name}")
            raise
        if not self.requested.all_mounts:
            notify("it has no volume: what it writes is lost when it stops (--size 10Gi adds a home)")
        return self._engine.read(self.kind, found)

    @property
    def _claims(self) -> str:
        return f"/api/v1/namespaces/{self._engine.namespace}/persistentvolumeclaims"

    def _chosen(self, requested: NotebookRequest, version: str) -> ServerKind:
        """The kind that is meant: the words that only one kind has say it, else what the cluster has."""
        if version:
            return next(iter(self._engine.kinds(version)))
        if requested.workspace_kind or requested.image_config or requested.pod_config:
            return WORKSPACE
        if requested.image or self._engine.has(NOTEBOOK):
            return NOTEBOOK
        return WORKSPACE

    def _labels(self, name: str) -> tuple[tuple[str, str], ...]:
        """The labels by which a PodDefault chooses its pods."""
        path = f"/apis/kubeflow.org/v1alpha1/namespaces/{self._engine.namespace}/poddefaults/{name}"
        try:
            found = self._kubernetes.get(path)
        except Absent:
            raise UsageError(
                f"--configuration {name}: namespace {self._engine.namespace} has no such PodDefault"
            ) from None
        return tuple(((found.get("spec") or {}).get("selector") or {}).get("matchLabels", {}).items())

    def _user(self) -> str:
        with suppress(BackendError):
            user, _ = identity.user(ProbeTarget(self._kubernetes, self._engine.namespace))
            return user.name
        return ""

    def _check(self) -> None:
        """Refuse what the server would take, and no pod would ever start with."""
        namespace = self._engine.namespace
        for mount in self.requested.mounts:
            if not self._exists(f"persistentvolumeclaims/{mount.claim}"):
                raise UsageError(
                    f"--volume {mount.claim}: namespace {namespace} has no such volume claim; "
                    "--size 10Gi makes a new one for the home"
                )
        account = self.requested.service_account
        if self.kind is NOTEBOOK and not self._exists(f"serviceaccounts/{account}"):
            raise UsageError(
                f"namespace {namespace} has no service account {account}, as a Kubeflow profile's has: "
                "--service-account NAME gives the notebook another"
            )

    def _exists(self, what: str) -> bool:
        """Whether a thing is there; one that may not be seen may be."""
        try:
            self._kubernetes.get(f"/api/v1/namespaces/{self._engine.namespace}/{what}")
        except Absent:
            return False
        except BackendError:
            return True
        return True

    def _there(self, claim: Claim) -> bool:
        try:
            self._kubernetes.get(f"{self._claims}/{claim.name}")
        except BackendError:
            return False
        return True

    def _make(self, claim: Claim, notify: Notify) -> bool:
        """Make a volume; whether it was made: one that is there is the home as it was left."""
        try:
            self._kubernetes.create(self._claims, claim.body(self._engine.namespace))
        except Conflict as error:
            if not error.exists:
                raise
            if _DELETED in str(error):
                raise Conflict(
                    f"volume {claim.name} is still being deleted:",
                    hint="try again in a moment",
                    ref=claim.name,
                ) from None
            notify(f"its home is the existing volume {claim.name}, with its data")
            return False
        return True

    def _create(self, *, dry_run: bool = False) -> Mapping[str, Any]:
        name, word = self.requested.name, self.kind.word
        try:
            return self._kubernetes.create(self.kind.path(self._engine.namespace), self.body, dry_run=dry_run)
        except Conflict as error:
            if not error.exists:
                raise
            if _DELETED in str(error):
                raise Conflict(
                    f"{word} {name} is still being deleted:", hint="try again in a moment", ref=name
                ) from None
            raise Conflict(
                f"{word} {name} already exists:",
                exists=True,
                hint=f"%kf_notebook start {name} starts it",
                ref=name,
            ) from None


def _dumper() -> Any:
    """Writes no anchors: a repeated value is written in full each time."""
    import yaml

    class Plain(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            del data
            return True

    return Plain
