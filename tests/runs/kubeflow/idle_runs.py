"""Three runs that are looked at, while nothing happens to them: how often a cluster is asked."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

from cluster import Kubernetes, Metadata, running
from recorded import at
from replay import BAD, GOOD, RUNS, STOPPED, looks, serving

from kfnb.entities import RunState
from kfnb.jobs.polling import Pace
from kfnb.remote.kfp.server import KfpServer
from kfnb.resources.runs.kubeflow.engine import KubeflowRunEngine
from kfnb.resources.runs.kubeflow.mlmd import Metadata as Client
from kfnb.resources.runs.kubeflow.mlmd import Recorded
from kfnb.resources.runs.kubeflow.pods import Pods, parse
from kfnb.resources.runs.kubeflow.run_details import RunDetails
from kfnb.resources.runs.kubeflow.task_rows import rows_of
from kfnb.resources.runs.observer import Observer

AMID = {GOOD: 7, BAD: 4, STOPPED: 0}
"""Of each run, a look at which one of its tasks runs."""


def idle_minute(speed: float) -> Counter[str]:
    """The requests in a minute, by whom they went to, once the runs have long been looked at.

    Time goes ``speed`` times as fast: so much shorter are the pauses between looks.
    """
    with ExitStack() as open_:
        replay = open_.enter_context(serving())
        metadata, kubernetes = (open_.enter_context(running(kind())) for kind in (Metadata, Kubernetes))
        answers = {f"{RUNS}/{run}": looks(run)[at] for run, at in AMID.items()}
        replay.invented = lambda method, path, _: (200, answers[path]) if path in answers else None
        for name in ("success", "failure", "cancel"):
            kubernetes.load(name)
        kubernetes.pods = [pod for pod in kubernetes.pods if _runs(pod)]
        for pod in kubernetes.pods:
            pod["status"]["phase"] = "Running"
        records = _Then(metadata.address)
        insight = RunDetails(records, None, Pods(kubernetes.api(), "kubeflow"))
        with _hurried(speed):
            backend = KubeflowRunEngine(KfpServer(replay.url), insight=insight)
            views = [_View(Observer(backend, run)) for run in AMID]
            _watch(views, 60 / speed)
            before = [len(one.asked) for one in (replay, kubernetes, records)]
            _watch(views, 60 / speed)
            after = [len(one.asked) for one in (replay, kubernetes, records)]
    names = ("Kubeflow Pipelines", "Kubernetes", "ML Metadata")
    return Counter({name: now - then for name, then, now in zip(names, before, after, strict=True)})


def seen_after(idle: float, speed: float) -> float:
    """The seconds until a picture of one run has a step's end, of which the server tells after so many idle ones."""
    with serving() as replay, _hurried(speed):
        answers = [looks(GOOD)[AMID[GOOD]]]
        replay.invented = lambda method, path, _: (200, answers[-1]) if path == f"{RUNS}/{GOOD}" else None
        view = _View(Observer(KubeflowRunEngine(KfpServer(replay.url)), GOOD))
        _watch([view], idle / speed)
        before, began = view.observer.run, time.monotonic()
        answers.append(looks(GOOD)[-1])
        while view.observer.run == before:
            _watch([view], 0.005)
        return (time.monotonic() - began) * speed


class _Then(Client):
    """ML Metadata as it was at each run's look, by the rows of that."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.asked: list[str] = []

    def run(self, run_id: str, known: Recorded | None = None) -> Recorded | None:
        self.asked.append(run_id)
        recorded = super().run(run_id)
        states = {
            row.get("display_name", ""): row.get("state") for row in rows_of(looks(run_id)[AMID[run_id]])
        }
        assert recorded is not None
        had = (one for one in recorded.executions if one.task in states or not one.task)
        then = (one if states.get(one.task) == "SUCCEEDED" else replace(one, state="RUNNING") for one in had)
        return replace(recorded, executions=tuple(then))


def _runs(pod: Any) -> bool:
    """Whether it is the pod of a task that runs at its run's look."""
    run = pod["metadata"]["labels"]["pipeline/runid"]
    tasks = at(run, looks(run)[AMID[run]], None).tasks if run in AMID else ()
    return parse(pod).task in {task.id for task in tasks if task.state is RunState.RUNNING}


@contextmanager
def _hurried(speed: float) -> Iterator[None]:
    """Pauses between looks that are so much shorter."""
    usual = KubeflowRunEngine.polling
    KubeflowRunEngine.polling = Pace(usual.shortest / speed, usual.longest / speed)
    try:
        yield
    finally:
        KubeflowRunEngine.polling = usual


class _View:
    """What looks at one run, as often as a picture of it does."""

    def __init__(self, observer: Observer) -> None:
        self.observer, self.pause, self.due = observer, observer.pace.shortest, 0.0

    def look(self, now: float) -> None:
        if now >= self.due:
            self.pause = self.observer.pace.next(self.pause, changed=bool(self.observer.refresh()))
            self.due = time.monotonic() + self.pause


def _watch(views: list[_View], seconds: float) -> None:
    until = time.monotonic() + seconds
    while (now := time.monotonic()) < until:
        for view in views:
            view.look(now)
        time.sleep(0.005)
