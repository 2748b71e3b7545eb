"""A run of Kubeflow Pipelines as a ``model.RunSnapshot``, with the same tasks and groups as the local engine creates.

``task_rows`` finds the row of each task, ``tasks`` builds the tasks from the rows and other facts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from kfnb.entities import RunSnapshot, RunState, with_placeholders
from kfnb.pipeline.spec import check_arguments
from kfnb.resources.runs.engine import Submission
from kfnb.resources.runs.iterations import measured
from kfnb.resources.runs.kubeflow.outputs import results
from kfnb.resources.runs.kubeflow.plan import Plan, plan_of
from kfnb.resources.runs.kubeflow.retried_run import not_skipped_yet
from kfnb.resources.runs.kubeflow.states import history, state_named
from kfnb.resources.runs.kubeflow.summary import summary, unprepared
from kfnb.resources.runs.kubeflow.task_facts import NOTHING, ObservedState, TaskFacts
from kfnb.resources.runs.kubeflow.task_rows import Rows, rows_of
from kfnb.resources.runs.kubeflow.tasks import EnclosingGroup, TaskBuilder
from kfnb.resources.runs.step_packages import FROM_STUDY, environment_of, of_study
from kfnb.text.timestamps import seconds

Json = Mapping[str, Any]

_UNRECORDED = (
    "Kubeflow Pipelines has not recorded the end of this run, which is shown from the Argo Workflow; a known cause is"
    " a text that it cannot store, such as an emoji passed between steps"
)


def outline(answer: Json, experiment: str = "", url: str = "") -> RunSnapshot:
    """A run without its tasks, which is cheap."""
    spec, state = spec_of(answer), state_of(answer)
    plan = plan_of({**spec, "components": {}, "root": {**spec.get("root", {}), "dag": {}}})
    finished = seconds(answer.get("finished_at"))
    error = answer.get("error") or {}
    study = of_study(str(answer.get("description") or ""))
    return RunSnapshot(
        id=str(answer.get("run_id", "")),
        name=str(answer.get("display_name", "")),
        pipeline=plan.name,
        backend="kubeflow",
        state=state,
        arguments=plan.arguments((answer.get("runtime_config") or {}).get("parameters") or {}),
        experiment=experiment,
        created=seconds(answer.get("created_at")),
        started=_started(answer),
        finished=finished if state.finished else None,
        error=str(error.get("message", "")) if state is RunState.FAILED else "",
        environment={**environment_of(spec), **study},
        notes=tuple(FROM_STUDY + value for value in study.values()),
        url=url,
        archived=answer.get("storage_state") == "ARCHIVED",
        schedule=str(answer.get("recurring_run_id") or ""),
    )


def fold(
    answer: Json,
    plan: Plan,
    facts: Callable[[str], TaskFacts] = lambda _: NOTHING,
    experiment: str = "",
    url: str = "",
) -> RunSnapshot:
    """The run, with all of its tasks and groups. ``facts`` returns further facts about a task, by its id."""
    run = _ended(outline(answer, experiment, url), answer, facts("").seen)
    rows = rows_of(answer)
    tasks = TaskBuilder(Rows(rows, plan.root), _canceled_at(answer), facts)
    tasks.dag(plan.root, "", "", None, EnclosingGroup(run.state, run.finished))
    whole = replace(run, tasks=tuple(tasks.made), notes=(*run.notes, *tasks.notes()))
    if not run.state.finished:
        return not_skipped_yet(whole)
    return replace(
        whole,
        result=results(plan.root, whole.tasks) if run.state is RunState.SUCCEEDED else {},
        metrics=measured(whole.tasks),
        error=(summary(plan.root, whole.tasks) or unprepared(rows, facts("").error) or run.error)
        if run.state is RunState.FAILED
        else run.error,
    )


def _ended(run: RunSnapshot, answer: Json, seen: ObservedState | None) -> RunSnapshot:
    """The run with the end of its Workflow, if the server has not recorded it: some texts cannot be stored there."""
    if run.state.finished or seen is None or not seen.state.finished:
        return run
    canceled = seen.state is RunState.FAILED and _canceled_at(answer) is not None
    state = RunState.CANCELED if canceled else seen.state
    return replace(run, state=state, finished=seen.finished, notes=(*run.notes, _UNRECORDED))


def state_of(answer: Json) -> RunState:
    """The state of a run. A terminated run ends as FAILED there, and is CANCELED here."""
    state = state_named(answer.get("state"))
    if state is RunState.FAILED and _canceled_at(answer) is not None:
        return RunState.CANCELED
    return state or RunState.PENDING


def spec_of(answer: Json) -> Json:
    """The PipelineSpec in a run's answer, which has it alone or with a platform spec; empty if it has none."""
    spec = answer.get("pipeline_spec")
    spec = spec if isinstance(spec, dict) else {}
    inner: Json = spec.get("pipeline_spec", spec)
    return inner


def submission_of(answer: Json) -> Submission:
    """What a run was made of, as far as the server has it."""
    whole = answer.get("pipeline_spec") or {}
    spec = with_placeholders(spec_of(answer))
    arguments = (answer.get("runtime_config") or {}).get("parameters") or {}
    return Submission(
        spec,
        check_arguments(spec, arguments),
        str(answer.get("display_name", "")),
        platform=whole.get("platform_spec") if "pipeline_spec" in whole else None,
    )


def _started(answer: Json) -> float | None:
    return next((at for state, at in history(answer) if state == "RUNNING"), None)


def _canceled_at(answer: Json) -> float | None:
    """When the run was terminated, if it was since its last start."""
    for state, at in reversed(history(answer)):
        if state == "CANCELING":
            return at or 0.0
        if state == "RUNNING":
            return None
    return None
