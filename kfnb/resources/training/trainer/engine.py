"""Kubeflow Trainer as an engine of trainings: each is a TrainJob, and a run.

kfnb runs no controller in the cluster. What has to be done when a training ends (its result is recorded, and
pods that Kubernetes would start again are ended) is done by whoever looks at it next.
"""

from __future__ import annotations

import builtins
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict

from kfnb import entities
from kfnb.entities import Amounts, LogLine, Purpose, RunState
from kfnb.entities.manifest import RunRecord
from kfnb.errors import BackendError, Hidden, RunNotFound
from kfnb.jobs.fold import Event
from kfnb.jobs.polling import Pace
from kfnb.remote.kubernetes import pod_settings
from kfnb.remote.kubernetes.fields import Item, mapping, word
from kfnb.resources.experiments.model import Experiment
from kfnb.resources.models.local.saved_models import Destination
from kfnb.resources.runs.engine import Submission, check_finished
from kfnb.resources.runs.kubeflow.run_cache import forget_finished
from kfnb.resources.runs.kubeflow.saved_models import SavedModels
from kfnb.resources.runs.kubeflow.trainings import LaunchingStep, PipelineStep
from kfnb.resources.runs.selection import LISTED, Selection
from kfnb.resources.training.engine import TrainingSubmission
from kfnb.resources.training.trainer.logs import TrainingLogs
from kfnb.resources.training.trainer.objects import ARCHIVED, RESULT, STOPPED
from kfnb.resources.training.trainer.pipeline_step import launching, settings_of, step_name
from kfnb.resources.training.trainer.pods_record import occupied_by_pods, record_of_pods
from kfnb.resources.training.trainer.record import TrainingRecord, record_of, result_of, shortened
from kfnb.resources.training.trainer.resources import TrainerResources
from kfnb.resources.training.trainer.runtimes import choose
from kfnb.resources.training.trainer.step import read_step, step_of
from kfnb.resources.training.trainer.storage import TrainingObjects
from kfnb.resources.training.trainer.tracked_training import TrackedTraining, outline
from kfnb.resources.training.trainer.trainjob import ClusterTraining, new_name, trainjob

_DELETED = 90.0
"""Seconds that a TrainJob may take to go before it is made again."""


class TrainerEngine:
    """The trainings of a namespace. ``pip`` are options for what pods install; ``account`` their service account.

    ``registry`` is where models that they save are registered.
    """

    name = "kubeflow"
    polling = Pace(1.0, 5.0)

    def __init__(
        self,
        resources: TrainerResources,
        objects: TrainingObjects,
        registry: Callable[[], Destination],
        *,
        pip: tuple[str, ...] = (),
        account: str = "",
        close: Callable[[], object] = lambda: None,
    ) -> None:
        self._resources, self._objects, self._pip, self._account = resources, objects, pip, account
        self._registry, self.close = registry, close
        self._tracked: dict[str, TrackedTraining] = {}

    @property
    def pace(self) -> Pace:
        """How often a training may be polled: a poll alone sends no request."""
        return Pace(self.polling.shortest, self.polling.shortest)

    def train(self, given: TrainingSubmission) -> str:
        """Make a TrainJob, and return its name at once. Nothing is sent where it cannot be trained."""
        submission, training = given.submission, given.training
        step = read_step(submission)
        schema = self._resources.schema()
        runtime = choose(self._resources.runtimes(), given.framework, training.runtime)
        name = new_name(step.name)
        access = self._objects.access()
        root = self._objects.root(name)
        record = TrainingRecord(
            submission.name,
            step.pipeline,
            step.name,
            submission.experiment,
            shortened(step.parameters),
            step.outputs,
            training.nodes,
            training.procs,
            training.max_restarts,
            given.framework,
            root,
        )
        body = trainjob(
            ClusterTraining(
                name,
                step,
                runtime,
                training.nodes,
                self._objects.pack(step.inputs, root),
                root,
                access,
                asdict(record),
                training.queue,
                self._pip,
                self._account,
            ),
            schema,
        )
        try:
            self._resources.create(body)
        except Hidden as error:
            hint = "ask for the role kubeflow-edit in this namespace, or train here: --backend local"
            raise BackendError(f"cannot create a TrainJob: {error};", code=error.code, hint=hint) from None
        return name

    def step(self, step: PipelineStep) -> LaunchingStep:
        """The step of a pipeline that makes a TrainJob in its own pod. Raises ``BackendError`` where none can train."""
        declared = step.declared
        faults = list(pod_settings.faults(step.settings))
        if faults:
            raise BackendError("; ".join(faults))
        schema = self._resources.schema()
        runtime = choose(self._resources.runtimes(), declared.framework, declared.runtime)
        own = step_of(step.name, "", step.container, step.outputs, step.settings)
        training = ClusterTraining(
            step_name(own),
            own,
            runtime,
            declared.nodes,
            {},
            self._objects.folder(),
            self._objects.access(),
            {},
            declared.queue,
            self._pip,
            self._account,
        )
        container = launching(training, schema, declared.restarts)
        return LaunchingStep(container, settings_of(training), runtime.name)

    def submit(self, submission: Submission) -> str:
        """Refuse: a TrainJob is made of a training, by ``train``."""
        raise BackendError(f"{submission.name} is not a training")

    def cautions(self, submission: Submission) -> Iterator[str]:  # noqa: ARG002 - see RunEngine
        """No notes."""
        return iter(())

    def get(self, run_id: str) -> entities.RunSnapshot:
        """The training as of at most a second ago. Raises ``RunNotFound``."""
        return self._track(run_id).watch.run(self.pace.shortest)

    def list(self, selection: Selection = LISTED, *, limit: int = 20) -> builtins.list[entities.RunSnapshot]:
        """The newest trainings first, without their tasks."""
        found = sorted(map(outline, self._resources.trainjobs()), key=lambda one: -(one.created or 0.0))
        return [one for one in found if selection.fits(one)][:limit]

    def events(self, run_id: str, *, after: int = 0, follow: bool = True) -> Iterator[Event]:
        """The training's events above ``after``; with ``follow``, as they arrive, until it is finished."""
        yield from self._track(run_id).watch.followed(after, follow=follow, pause=self.pace.shortest)

    def logs(self, run_id: str, task: str | None = None, *, follow: bool = False) -> Iterator[LogLine | None]:
        """What the processes wrote, also in pods that others have replaced."""
        name = self._whole(run_id)
        own = record_of(self._resources.trainjob(name)).task
        if task not in (None, own):
            raise BackendError(f"unknown task {task}; the training has {own}", ref=task)
        logs = TrainingLogs(self._resources.kubernetes, self._resources.namespace)
        empty = True
        while True:
            over = self.get(name).state.finished  # looked at first: the last lines are read after the end
            for line in logs.new(self._resources.pods(name)):
                if not line.kind:
                    empty = False
                    yield LogLine(own, line.text, line.at)
            if over or not follow:
                break
            yield None
            time.sleep(self.pace.shortest)
        if empty and over and not self._resources.pods(name):
            raise BackendError(f"the log of {name} is gone: its pods were deleted", ref=name)

    def submitted(self, run_id: str) -> Submission:
        """Nothing: a training of a notebook takes the notebook's values, which are gone."""
        raise BackendError(f"training {run_id} took values of its notebook: run its cell again", ref=run_id)

    def log_place(self, run_id: str, task: str | None = None) -> str:  # noqa: ARG002 - see RunEngine
        """The pods that have the logs."""
        pods = self._resources.pods(self._whole(run_id))
        names = [word(pod, "metadata", "name") for pod in pods]
        return f"pods {', '.join(names[:3])}{' and more' * (len(names) > 3)}" if names else ""  # noqa: PLR2004

    def recorded(self, run_id: str) -> RunRecord:
        """What Kubernetes knows of the pods: that of the first is what a training ran on, as all have one template."""
        name = self._whole(run_id)
        tasks = [task.id for task in self.get(name).tasks if not task.group]
        return record_of_pods(self._resources, name, tasks)

    def stop(self, run_id: str) -> None:
        """End all pods, by suspending the TrainJob; does nothing if it is finished."""
        name = self._whole(run_id)
        if result_of(self._resources.trainjob(name)) is None:
            self._resources.change(
                name, {"metadata": {"annotations": {STOPPED: "true"}}, "spec": {"suspend": True}}
            )
            self._track(name).watch.soon()

    def retry(self, run_id: str) -> None:
        """Start a suspended, stopped or failed training again, from its newest checkpoint, under the same id."""
        name = self._whole(run_id)
        item = self._resources.trainjob(name)
        state = self._track(name).watch.run(0).state
        if state is RunState.SUCCEEDED:
            return
        if state is not RunState.PAUSED:
            check_finished(name, state)
        if state is RunState.FAILED:
            self._again(name, item)
        else:
            gone = {"annotations": {STOPPED: None, RESULT: None}}
            self._resources.change(name, {"metadata": gone, "spec": {"suspend": False}})
        self._tracked.pop(name, None)

    def _again(self, name: str, item: Item) -> None:
        """Make a TrainJob anew that has ended: Trainer runs none twice."""
        metadata = mapping(item, "metadata")
        kept = {
            key: one for key, one in mapping(metadata, "annotations").items() if key not in (RESULT, STOPPED)
        }
        spec = {key: one for key, one in mapping(item, "spec").items() if key not in ("suspend", "managedBy")}
        body = {
            "apiVersion": item["apiVersion"],
            "kind": item["kind"],
            "metadata": {"name": name, "labels": mapping(metadata, "labels"), "annotations": kept},
            "spec": spec,
        }
        self._resources.delete(name)
        until = time.monotonic() + _DELETED
        while time.monotonic() < until:
            try:
                self._resources.trainjob(name)
            except RunNotFound:
                break
            time.sleep(0.2)
        else:
            raise BackendError(f"the pods of {name} do not end; retry it again later", ref=name)
        self._resources.create(body)

    def occupied(self, run_id: str) -> Mapping[Purpose, Amounts]:
        """What the pods of a training occupied that Kubernetes still has; empty without any."""
        return occupied_by_pods(self._resources, self._whole(run_id))

    def archive(self, run_id: str) -> None:
        """Archive the training: only lists with archived runs show it."""
        self._annotate(run_id, "true")

    def unarchive(self, run_id: str) -> None:
        """Restore the training to the lists."""
        self._annotate(run_id, None)

    def _annotate(self, run_id: str, archived: str | None) -> None:
        name = self._whole(run_id)
        self._resources.change(name, {"metadata": {"annotations": {ARCHIVED: archived}}})
        self._track(name).watch.soon()

    def delete(self, run_id: str) -> None:
        """Delete a finished training and its pods. Its objects stay in the store, as those of runs do."""
        name = self._whole(run_id)
        check_finished(name, self._track(name).watch.run(0).state)
        self._resources.delete(name)
        self._tracked.pop(name, None)

    def experiments(self) -> builtins.list[Experiment]:
        """None: Trainer has no experiments."""
        return []

    def _track(self, run_id: str) -> TrackedTraining:
        name = run_id if run_id in self._tracked else self._whole(run_id)
        if name not in self._tracked:
            forget_finished(self._tracked)
            self._tracked[name] = TrackedTraining(
                self._resources, self._objects, name, lambda: self.polling, SavedModels(self._registry)
            )
        return self._tracked[name]

    def _whole(self, start: str) -> str:
        """The name of the one training whose name begins with a text. Raises ``RunNotFound``."""
        try:
            return word(self._resources.trainjob(start), "metadata", "name")
        except RunNotFound:
            found = [one.id for one in map(outline, self._resources.trainjobs()) if one.id.startswith(start)]
        if len(found) == 1:
            return found[0]
        if found:
            message = f"{len(found)} trainings begin with {start}, as {found[0]} does:"
            raise RunNotFound(message, hint="give more characters of the id", ref=start)
        raise RunNotFound(f"unknown training {start} in namespace {self._resources.namespace}", ref=start)
