"""A cluster's life: it is brought up step by step, looked at, and taken down with all that it left."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from kfnb.errors import BackendError
from kfnb.remote.kubernetes import kubeconfig
from kfnb.resources.cluster import kubeflow_parts
from kfnb.resources.cluster.checks import hairpin
from kfnb.resources.cluster.compatibility import release_of
from kfnb.resources.cluster.model import Knowledge
from kfnb.resources.cluster.probe import ProbeTarget
from kfnb.resources.localcluster import apply, readiness
from kfnb.resources.localcluster.model import Found, LocalClusterStatus, Reached, Record
from kfnb.resources.localcluster.plan import Apply, Await, ClusterSpec, Start, Step
from kfnb.resources.localcluster.readiness import Workload
from kfnb.resources.localcluster.record import Records
from kfnb.resources.localcluster.shell_command import Runner
from kfnb.resources.localcluster.tool import TOOLS, Tool, engine


@dataclass(frozen=True)
class UpProgress:
    """How far it is: ``done`` of ``total`` steps, the step in progress, and what it does or waits for."""

    done: int
    total: int
    step: str
    detail: str = ""


def find(tool: Tool, profile: str, record: Record | None, runner: Runner) -> Found:
    """Whether the cluster exists. Raises ``BackendError`` where it does and kfnb did not start it."""
    found = tool.find(profile, runner)
    if found is not Found.ABSENT and record is None:
        raise BackendError(
            f"{tool.name} has a cluster {profile} that kfnb did not start: pass another name with --profile, "
            f"or delete it: {tool.delete(profile)}"
        )
    return found


def up(
    spec: ClusterSpec,
    steps: Sequence[Step],
    record: Record,
    records: Records,
    runner: Runner,
    report: Callable[[UpProgress], None],
) -> None:
    """Do the steps. Where it fails or is interrupted, what was done is kept, and a second ``up`` continues from there.

    Raises ``BackendError``.
    """
    rise = _StepRunner(runner, time.monotonic() + spec.minutes * 60)
    records.write(record)
    for number, step in enumerate(steps):
        if record.reached is Reached.BEGUN and not isinstance(step, Start):
            record = replace(record, reached=Reached.STARTED)
            records.write(record)
        progress = UpProgress(number, len(steps), step.title)
        report(progress)
        rise.do(step, partial(_report, report, progress))
    records.write(replace(record, reached=Reached.READY))
    report(UpProgress(len(steps), len(steps), "all is ready"))


def _report(report: Callable[[UpProgress], None], progress: UpProgress, detail: str) -> None:
    report(replace(progress, detail=detail))


class _StepRunner:
    """Does steps, and knows what was applied so far."""

    def __init__(self, runner: Runner, until: float) -> None:
        self._runner, self._until = runner, until
        self._applied: dict[str, frozenset[Workload]] = {}

    def do(self, step: Step, report: Callable[[str], None]) -> None:
        """One step, to its end."""
        if isinstance(step, Start):
            self._start(step, report)
        elif isinstance(step, Apply):
            self._apply(step, report)
        else:
            self._wait(step, report)

    def _start(self, step: Start, report: Callable[[str], None]) -> None:
        done = self._runner.follow(step.command, report)
        if done.code:
            raise self._runner.failed(f"{step.title}: failed", done)

    def _apply(self, step: Apply, report: Callable[[str], None]) -> None:
        built = apply.build(step, self._runner)
        apply.apply(step, built, self._runner, self._until, report)
        before = self._applied.get(step.part, frozenset())
        self._applied[step.part] = before | readiness.workloads(built)

    def _wait(self, step: Await, report: Callable[[str], None]) -> None:
        expected = frozenset(one for part in step.parts for one in self._applied.get(part, ()))
        readiness.wait(step, expected, self._runner, self._until, report)


def status(record: Record, runner: Runner) -> LocalClusterStatus:
    """The status of a managed cluster, from its tool and its API server."""
    tool = TOOLS[record.tool]
    found = tool.find(record.profile, runner)
    if found is not Found.RUNNING:
        return LocalClusterStatus(record, found)
    try:
        context = tool.context(record.profile)
        place = _place(context)
        parts, _ = kubeflow_parts.parts(place)
    except BackendError as error:
        return LocalClusterStatus(record, found, trouble=str(error))
    there = tuple(part for part in parts if part.knowledge is Knowledge.KNOWN)
    release = release_of({part.name: part.version for part in there if part.version})
    cut = hairpin.hairpin(place.kubernetes, ("kubeflow",), context, _fix(record))
    return LocalClusterStatus(
        record, found, there, release.release if release is not None else "", hairpin=cut
    )


def _fix(record: Record) -> str:
    """What fixes a managed cluster whose pods do not reach their own services."""
    if record.tool == "minikube":
        return hairpin.of_minikube(record.profile, record.driver or "docker")
    return hairpin.of_kind(f"{record.profile}-control-plane", engine())


def _place(context: str) -> ProbeTarget:
    kubernetes = kubeconfig.kubernetes(context)
    assert kubernetes is not None  # a context was given
    return ProbeTarget(kubernetes, "default")


def down(record: Record, records: Records, runner: Runner, report: Callable[[str], None]) -> None:
    """Delete a managed cluster and everything that belongs to it. Raises ``BackendError``."""
    tool = TOOLS[record.tool]
    done = runner.follow(tool.delete(record.profile), report)
    if done.code or tool.find(record.profile, runner) is not Found.ABSENT:
        raise runner.failed(f"{tool.name} could not delete {record.profile}", done)
    records.forget(record.profile)
