"""The commands of a cluster on this machine: start, show and delete it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kfnb.commands.command import Command, flag, option
from kfnb.commands.session import Session
from kfnb.commands.words import count
from kfnb.errors import BackendError, UsageError
from kfnb.resources.cluster import api
from kfnb.resources.localcluster import checks, lifecycle, plan, request
from kfnb.resources.localcluster.checks import Prerequisite, Verdict
from kfnb.resources.localcluster.model import Found, LocalClusterStatus, Reached, Record, with_profile
from kfnb.resources.localcluster.plan import ClusterSpec
from kfnb.resources.localcluster.progress_bar import Bar
from kfnb.resources.localcluster.record import Records
from kfnb.resources.localcluster.request import UpRequest
from kfnb.resources.localcluster.shell_command import Log, Runner
from kfnb.resources.localcluster.tool import TOOLS
from kfnb.settings import settings

_NAMESPACE, _USER = "kubeflow-user-example-com", "user@example.com"
"""What the manifests call their first user."""


def _profile() -> Any:
    return option(default="kubeflow", metavar="NAME", help="the cluster's name (default kubeflow)")


@dataclass(frozen=True, kw_only=True)
class ManageLocalCluster(Command):
    """Manage a Kubeflow on this machine, with minikube or kind."""

    def run(self, session: Session) -> None:
        """A verb is required."""
        raise UsageError(f"{session.prog}: a verb is required", hint="the verbs are up, status and down")


@dataclass(frozen=True, kw_only=True)
class StartLocalCluster(Command):
    """Start a cluster on this machine with minikube or kind, and install Kubeflow in it. Run again, it continues."""

    profile: str = _profile()
    tool: str = option(
        "--with",
        choices=list(TOOLS),
        default="",
        help="the tool that makes the cluster (default: the installed one)",
    )
    release: str = option(default="", help="Kubeflow's release (default: the newest that kfnb knows)")
    manifests: str = option(
        default="",
        metavar="DIR|URL",
        help="Kubeflow's manifests: a checkout, or URL?ref=REF (default: the release's own repository)",
    )
    only: str = option(
        default="",
        metavar="PART,PART",
        help="install only these parts and their dependencies: pipelines, katib, notebooks, trainer, kserve, ...",
    )
    cores: int = option(
        type=int, default=0, metavar="N", help="cores of minikube (default: what the parts need)"
    )
    memory: int = option(
        type=int, default=0, metavar="GIB", help="memory of minikube, in GiB (default: what the parts need)"
    )
    driver: str = option(default="", help="driver of minikube (default docker)")
    kubernetes: str = option(
        default="",
        metavar="VERSION",
        help="version of Kubernetes (default: the one that the release is tested with)",
    )
    timeout: int = option(type=int, default=60, metavar="MINUTES", help="time limit in all (default 60)")
    force: bool = flag(help="continue although something is missing")
    dry_run: bool = flag(help="print the commands, and run none")

    def run(self, session: Session) -> None:
        """Start it."""
        records = _records()
        record = records.read(self.profile)
        requested = self._requested(record)
        spec = request.spec(requested)
        there, checked = _examine(spec, record)
        session.notify(_table(checked))
        if _missing(checked) and not (self.force or self.dry_run):
            session.notify("\nInstall what is missing and try again, or pass --force to continue anyway.")
            session.fail()
            return
        broken = record is not None and record.reached is Reached.BEGUN
        steps = plan.plan(spec, there, broken=broken)
        if self.dry_run:
            session.out("\n".join(map(str, steps)))
            return
        new = there is Found.ABSENT or broken
        reached = Reached.BEGUN if new else Reached.STARTED
        _rise(spec, steps, request.record_of(requested, spec, reached), records)
        session.out(_reached_by(spec))

    def _requested(self, record: Record | None) -> UpRequest:
        """What is asked for, with what the cluster was begun with."""
        only = tuple(part.strip() for part in self.only.split(",") if part.strip())
        requested = UpRequest(
            self.profile,
            self.tool,
            self.release,
            self.manifests,
            only,
            count(self.cores, "--cores"),
            count(self.memory, "--memory"),
            self.kubernetes,
            self.driver,
            count(self.timeout, "--timeout"),
        )
        return requested if record is None else request.continue_from(requested, record)


@dataclass(frozen=True, kw_only=True)
class ShowLocalCluster(Command):
    """Show whether the cluster on this machine runs, and which parts of it are ready. Exit code 0 where all are."""

    json = "print the cluster's status as JSON"

    profile: str = _profile()

    def run(self, session: Session) -> LocalClusterStatus:
        """Show it."""
        how = lifecycle.status(_ours(self.profile), Runner())
        if not how.ready:
            session.fail()
        return how


@dataclass(frozen=True, kw_only=True)
class DeleteLocalCluster(Command):
    """Delete the cluster that kfnb started on this machine, with all data."""

    profile: str = _profile()
    yes: bool = flag(help="do not ask for confirmation")
    dry_run: bool = flag(help="print the command, and do not run it")

    def run(self, session: Session) -> None:
        """Delete it."""
        record, records = _ours(self.profile), _records()
        if self.dry_run:
            session.out(str(TOOLS[record.tool].delete(record.profile)))
            return
        if not self.yes and not _agreed(session, record):
            session.notify("nothing was deleted")
            session.fail()
            return
        try:
            lifecycle.down(record, records, Runner(Log(records.log(record.profile))), session.notify)
        except KeyboardInterrupt:
            message = f"\nInterrupted: {with_profile('kfnb cluster down', record.profile)} continues."
            raise KeyboardInterrupt(message) from None
        session.notify(f"deleted cluster {record.profile}")


def _examine(spec: ClusterSpec, record: Record | None) -> tuple[Found, Sequence[Prerequisite]]:
    """The cluster's state, and the checks: a machine is big enough for a cluster that runs on it already."""
    quiet = Runner()
    requirements = request.requirements(spec)
    tools = checks.of_tools(requirements, quiet)
    if _missing([check for check in tools if check.name not in ("Kubernetes", "kustomize")]):
        there = Found.ABSENT
    else:
        there = lifecycle.find(spec.tool, spec.profile, record, quiet)
    machine = (
        ()
        if there is not Found.ABSENT
        else checks.of_machine(requirements.size, request.least(spec), api.machine())
    )
    return there, (*machine, *tools)


def _rise(spec: ClusterSpec, steps: Sequence[plan.Step], record: Record, records: Records) -> None:
    bar, runner = Bar(sys.stderr), Runner(Log(records.log(spec.profile)))
    again = with_profile("kfnb cluster up", spec.profile)
    try:
        lifecycle.up(spec, steps, record, records, runner, bar)
    except KeyboardInterrupt:
        down = with_profile("kfnb cluster down", spec.profile)
        raise KeyboardInterrupt(f"\nInterrupted: {again} continues, {down} deletes it.") from None
    except BackendError as error:
        raise BackendError(f"{error}\n{again} continues") from None
    finally:
        bar.clear()


def _records() -> Records:
    return Records(Path(settings().home) / "clusters")


def _ours(profile: str) -> Record:
    records = _records()
    record = records.read(profile)
    if record is None:
        others = " or ".join(one.profile for one in records.all())
        hint = f"pass --profile {others}" if others else "kfnb cluster up starts a cluster"
        raise BackendError(
            f"unknown cluster {profile}: kfnb has not started it", code="not-found", hint=hint, ref=profile
        )
    return record


def _agreed(session: Session, record: Record) -> bool:
    if session.prompt is None:
        message = f"{session.prog} deletes the cluster with all data:"
        raise UsageError(
            message, code="confirmation-required", hint="pass --yes to confirm", ref=record.profile
        )
    question = f"Delete the {record.tool} cluster {record.profile} with all data? [y/N] "
    return session.prompt(question).strip().lower() in ("y", "yes")


def _missing(checked: Sequence[Prerequisite]) -> bool:
    return any(check.verdict is Verdict.MISSING for check in checked)


def _table(checked: Sequence[Prerequisite]) -> str:
    """A line for each check, and below what is not fine the command that fixes it."""
    wide = max(len(check.name) for check in checked)
    lines = []
    for check in checked:
        lines.append(f"{check.verdict!s:<8} {check.name:<{wide}}  {check.text}")
        if check.fix:
            lines.append(f"{'':<9}{check.fix}")
    return "\n".join(lines)


def _reached_by(spec: ClusterSpec) -> str:
    """How to reach the cluster, and as which user."""
    kubectl = f"kubectl --context {spec.context}"
    lines = [
        f"Kubeflow {spec.release} is ready on {spec.tool.name}, for {_USER} in the namespace {_NAMESPACE}."
    ]
    setting = f"%kf_config context={spec.context} namespace={_NAMESPACE}"
    if any(part.name == "pipelines" for part in spec.parts):
        # Pipelines serve several users here, and check who calls
        token = f"{kubectl} -n {_NAMESPACE} create token default-editor --audience=pipelines.kubeflow.org"
        lines.append(f"  once a day:    (umask 077; {token} --duration=24h > token.txt)")
        setting += " token_file=token.txt"
    return "\n".join(
        [
            *lines,
            f"  in a notebook: {setting}",
            f"  in a browser:  {kubectl} -n istio-system port-forward svc/istio-ingressgateway 8080:80",
            f"                 http://localhost:8080 as {_USER}; the manifests' README has the password",
            f"  to end it:     {with_profile('kfnb cluster down', spec.profile)}",
        ]
    )
