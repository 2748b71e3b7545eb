"""The command of notebooks on the cluster."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from kfnb.commands.command import Command, flag, option, repeated, word
from kfnb.commands.parser import Parser
from kfnb.commands.session import Session
from kfnb.errors import UsageError, did_you_mean
from kfnb.resources.notebooks import api
from kfnb.resources.notebooks.model import DryRun, Mount, Notebook, NotebookList, NotebookState
from kfnb.resources.notebooks.spec import NotebookRequest
from kfnb.text.timespec import span

VERBS = ("list", "start", "stop", "create", "delete")
_WHICH = {"kind"}
_OPTIONS = {
    "list": set[str](),
    "start": _WHICH | {"wait", "timeout"},
    "stop": _WHICH | {"yes"},
    "delete": _WHICH | {"yes", "with_volume"},
}
"""The options that each verb has; those of ``create`` are all others."""

_SPEC_OPTIONS = (
    "image",
    "cpu",
    "memory",
    "gpu",
    "accelerator",
    "size",
    "service_account",
    "workspace_kind",
    "image_config",
    "pod_config",
)
_RUNNING, _STOPPED = NotebookState.RUNNING, NotebookState.STOPPED


@dataclass(frozen=True, kw_only=True)
class ManageNotebooks(Command):
    """List, start, stop, create or delete the notebooks of your namespace: Notebooks (v1) and Workspaces (v2)."""

    binds = True
    json = "print the notebooks, or the notebook, as JSON"

    verb: str = word(
        "list (default), start, stop, create, delete", default="list", metavar="VERB", values=VERBS
    )
    name: str | None = word("the notebook's name", default=None, metavar="NAME", values="notebook")
    kind: str | None = option(
        choices=("v1", "v2"), help="Notebook (v1) or Workspace (v2), where the name alone is ambiguous"
    )
    wait: bool = flag(help="start, create: wait until it runs; interrupt to stop waiting")
    timeout: str | None = option(metavar="DURATION", help="how long to wait: 90s, 10m (default 10m)")
    image: str | None = option(help="create: its image")
    cpu: str | None = option(help="create: cores, as Kubernetes writes them: 2 or 500m (default 0.5)")
    memory: str | None = option(help="create: memory, as Kubernetes writes it: 4Gi (default 1Gi)")
    gpu: int | None = option(type=int, help="create: number of GPUs")
    accelerator: str | None = option(
        metavar="TYPE", help="create: what --gpu counts (default nvidia.com/gpu)"
    )
    size: str | None = option(metavar="10Gi", help="create: create a new volume of this size for its home")
    volume: tuple[str, ...] = repeated(
        metavar="NAME:/PATH", help="create: an existing volume claim, and where to mount it"
    )
    configuration: tuple[str, ...] = repeated(
        metavar="NAME", help="create: a PodDefault to apply, such as access-ml-pipeline"
    )
    service_account: str | None = option(
        metavar="NAME", help="create: its service account (default default-editor)"
    )
    workspace_kind: str | None = option(metavar="NAME", help="create: the kind of a workspace")
    image_config: str | None = option(metavar="ID", help="create: an image that the workspace's kind offers")
    pod_config: str | None = option(metavar="ID", help="create: a pod size that the workspace's kind offers")
    dry_run: bool = flag(help="create: show the YAML and the server's answer; create nothing")
    with_volume: bool = flag(help="delete: also delete the volume of its home, with all data")
    yes: bool = flag(help="stop, delete: do not ask for confirmation")

    def check(self, parser: Parser) -> None:
        """Refuse an unknown verb, a missing name, and options that mean nothing together."""
        if self.verb not in VERBS:
            hint = did_you_mean(self.verb, VERBS, f"the verbs are {', '.join(VERBS)}")
            parser.error(f"unknown verb {self.verb}", code="unknown-verb", hint=hint, ref=self.verb)
        if self.verb == "list" and self.name:
            parser.error(f"list takes no name: leave out {self.name}")
        if self.verb != "list" and not self.name:
            parser.error(f"a notebook is required: {self.verb} NAME")
        names = {one.name for one in fields(self)}
        others = {name for name in names if getattr(self, name) not in (None, False, ())} - {"verb", "name"}
        others -= _OPTIONS.get(self.verb, names - {"yes", "with_volume"})
        if others:
            parser.error(f"--{min(others).replace('_', '-')} cannot be used with {self.verb}")
        if self.timeout and not self.wait:
            parser.error("--timeout requires --wait")
        if self.dry_run and self.wait:
            parser.error("--dry-run and --wait cannot be combined")

    def run(self, session: Session) -> NotebookList | Notebook | DryRun | None:
        """Start, stop, create or delete a notebook, or list them all."""
        if self.verb == "list":
            return api.notebooks()
        seconds = self.seconds  # refused, where it is, before anything is done
        if self.verb == "create":
            return _create(self, seconds, session)
        version = self.kind or ""
        before = api.notebook(self.target, version=version)
        if self.verb == "start":
            return _start(self, before, version, seconds, session)
        if self.verb == "stop":
            return _stop(self, before, version, session)
        return _delete(self, before, version, session)

    @property
    def target(self) -> str:
        """The notebook's name."""
        return self.name or ""

    @property
    def seconds(self) -> float:
        """How long ``--wait`` waits. Raises ``UsageError``."""
        try:
            return float(span(self.timeout)) if self.timeout else api.WAITS
        except UsageError as error:
            raise UsageError(f"--timeout {error}") from None

    def requested(self) -> NotebookRequest:
        """The new notebook that is asked for. Raises ``UsageError``."""
        if self.accelerator and not self.gpu:
            raise UsageError(f"--accelerator {self.accelerator}: --gpu N is required with it")
        given = {name: getattr(self, name) for name in _SPEC_OPTIONS if getattr(self, name) is not None}
        return NotebookRequest(self.target, mounts=tuple(map(_mount, self.volume)), **given)


def _mount(text: str) -> Mount:
    claim, colon, path = text.partition(":")
    if not (claim and colon and path.startswith("/")):
        raise UsageError(f"--volume {text}: write NAME:/PATH, the name of a volume claim and where it goes")
    return Mount(claim, path.rstrip("/") or "/")


def _create(found: ManageNotebooks, seconds: float, session: Session) -> Notebook | DryRun:
    requested, version = found.requested(), found.kind or ""
    if found.dry_run:
        tried = api.dry_run(requested, version=version, configurations=found.configuration)
        if not tried.accepted:
            session.fail()
        return tried
    made = api.create(requested, version=version, configurations=found.configuration, notify=session.notify)
    kind = "v2" if made.kind == "Workspace" else "v1"
    return _awaited(found.target, kind, seconds, session) if found.wait else made


def _start(
    found: ManageNotebooks, before: Notebook, version: str, seconds: float, session: Session
) -> Notebook:
    if before.state is _RUNNING:
        session.notify(f"{before.word} {before.name} is running already")
        return before
    started = api.start(found.target, version=version)
    return _awaited(found.target, version, seconds, session) if found.wait else started


def _stop(found: ManageNotebooks, before: Notebook, version: str, session: Session) -> Notebook:
    if before.state is _STOPPED:
        session.notify(f"{before.word} {before.name} was stopped already")
        return before
    _check_here(found, before)
    return api.stop(found.target, version=version)


def _delete(found: ManageNotebooks, before: Notebook, version: str, session: Session) -> Notebook | None:
    """Delete it once the user agrees, or with ``--yes``; None where the user does not agree."""
    _check_here(found, before)
    stays = _what_stays(before, with_volume=found.with_volume)
    if not found.yes and session.prompt is None:
        hint = "pass --yes: this session cannot ask for confirmation"
        raise UsageError(f"{before.name}:", code="confirmation-required", hint=hint, ref=before.name)
    if not found.yes and not _agreed(session, f"Delete {before.word} {before.name} for good? {stays}."):
        session.notify("nothing was deleted")
        return None
    deleted = api.delete(found.target, version=version, with_volume=found.with_volume)
    session.notify(f"deleted {before.word} {before.name}; {stays[0].lower()}{stays[1:]}")
    return replace(deleted, state=NotebookState.DELETING, why="")


def _check_here(found: ManageNotebooks, before: Notebook) -> None:
    """Refuse to end the notebook in which this is typed, unless ``--yes`` is given."""
    if before.here and not found.yes:
        raise UsageError(
            f"{before.name} is the {before.word} that you are in: this kernel and all others in it would "
            f"end. %kf_notebook {found.verb} {before.name} --yes does it"
        )


def _what_stays(notebook: Notebook, *, with_volume: bool) -> str:
    claims = list(dict.fromkeys(mount.claim for mount in notebook.mounts))
    gone = notebook.home if with_volume else ""
    remaining = ", ".join(claim for claim in claims if claim != gone)
    lost = f"its volume {gone} is deleted too, with all data" if gone else ""
    if not claims:
        return "It has no volume: nothing is kept"
    stays = f"{'the other volumes are' if gone else 'its volumes are'} kept: {remaining}" if remaining else ""
    text = "; ".join(part for part in (lost, stays) if part)
    return text[0].upper() + text[1:]


def _agreed(session: Session, question: str) -> bool:
    return session.prompt is not None and session.prompt(f"{question} [y/N] ").strip().lower() in ("y", "yes")


def _awaited(name: str, version: str, seconds: float, session: Session) -> Notebook:
    """The notebook once it runs, printing why it does not yet; unready, where waiting was interrupted or timed out."""
    reported, last = "", None
    try:
        for last in api.awaited(name, version=version, timeout=seconds):
            why = last.why or ("" if last.state is _RUNNING else "waiting for its pod")
            if why and why != reported:
                session.notify(f"{last.word} {last.name} is {last.state}: {why}")
                reported = why
    except KeyboardInterrupt:
        if last is None:
            raise
        session.notify(f"stopped waiting: {last.word} {last.name} is still starting")
    assert last is not None
    return last
