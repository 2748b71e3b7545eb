"""The engine of schedules on a cluster: the recurring runs of Kubeflow Pipelines."""

from __future__ import annotations

import builtins
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from kfnb.entities import RunState
from kfnb.errors import BackendError, NotFound
from kfnb.remote.kfp.paging import every
from kfnb.remote.kfp.server import MissingResource
from kfnb.resources.runs.engine import Submission
from kfnb.resources.runs.kubeflow.run_builder import spec_of
from kfnb.resources.runs.kubeflow.run_filter import of_schedule
from kfnb.resources.runs.kubeflow.submitter import Submitter
from kfnb.resources.schedules.model import Recurrence, ScheduledTick, ScheduleSnapshot
from kfnb.resources.uploads.model import UploadedPipeline
from kfnb.text.timestamps import rfc3339, seconds

Json = Mapping[str, Any]

_ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_now = time.time
_DIGEST = "pipeline sha256:"
_OF_A_RUN = (
    "experiment_id",
    "pipeline_spec",
    "pipeline_version_reference",
    "runtime_config",
    "service_account",
)
"""The fields of a recurring run that its runs have too."""
_RUNS = 20
"""How many of the last runs of a schedule are asked for: each comes with its pipeline."""
_PLAIN = ("ENABLED", "DISABLED", "STATUS_UNSPECIFIED")


class KubeflowScheduleEngine:
    """Schedules as recurring runs, whose pipelines ``submitter`` sends as it sends those of runs."""

    name = "kubeflow"

    def __init__(self, submitter: Submitter) -> None:
        self._submitter, self._server = submitter, submitter.server
        self._experiments, self._pipelines = submitter.experiments, submitter.pipelines

    def create(
        self, submission: Submission, rhythm: Recurrence, uploaded: UploadedPipeline | None = None
    ) -> ScheduleSnapshot:
        """Create a schedule for a submission; ``uploaded`` is the stored version to run, if any."""
        body = self._submitter.body(submission, self._experiments.needed(submission.experiment))
        body |= _trigger(rhythm)
        body |= {"description": _DIGEST + rhythm.digest} if rhythm.digest else {}
        if uploaded is not None:
            del body["pipeline_spec"]
            body["pipeline_version_reference"] = {
                "pipeline_id": uploaded.id,
                "pipeline_version_id": uploaded.version_id,
            }
        return self._read(self._server.request("POST", "/recurringruns", body))

    def list(self) -> builtins.list[ScheduleSnapshot]:
        """All schedules."""
        return [self._read(one) for one in self._answers()]

    def get(self, schedule_id: str) -> ScheduleSnapshot:
        """The schedule with that id, beginning of an id, or name. Raises ``BackendError``."""
        if not _ID.fullmatch(schedule_id):
            return self._with_runs(self._searched(schedule_id))
        try:
            found = self._read(self._server.get(f"/recurringruns/{schedule_id}"))
        except MissingResource:
            raise _unknown(schedule_id) from None
        return self._with_runs(found)

    def pause(self, schedule_id: str) -> None:
        """Start no more runs; running runs continue."""
        self._send("POST", schedule_id, ":disable")

    def resume(self, schedule_id: str) -> None:
        """Start runs again."""
        self._send("POST", schedule_id, ":enable")

    def delete(self, schedule_id: str) -> None:
        """Delete the schedule; its runs stay."""
        self._send("DELETE", schedule_id)

    def run(self, schedule_id: str) -> str:
        """Start a run of it now, as at one of its times, and return the run's id."""
        try:
            answer = self._server.get(f"/recurringruns/{schedule_id}")
        except MissingResource:
            raise _unknown(schedule_id) from None
        body = {name: answer[name] for name in _OF_A_RUN if answer.get(name)}
        body["display_name"] = f"{answer.get('display_name', '')}-{datetime.now(timezone.utc):%Y%m%d-%H%M%S}"
        return str(self._server.request("POST", "/runs", body)["run_id"])

    def _send(self, method: str, schedule_id: str, action: str = "") -> None:
        try:
            self._server.request(method, f"/recurringruns/{schedule_id}{action}", again=True)
        except MissingResource:
            raise _unknown(schedule_id) from None

    def _answers(self) -> Iterator[Json]:
        namespace = self._server.users_namespace
        return every(self._server, "/recurringruns", "recurringRuns", namespace=namespace)

    def _with_runs(self, one: ScheduleSnapshot) -> ScheduleSnapshot:
        """A schedule with the last runs that it started, and when an interval starts the next one."""
        try:
            answer = self._server.get(
                "/runs",
                namespace=self._server.users_namespace,
                page_size=_RUNS,
                sort_by="created_at desc",
                filter=of_schedule(one.id),
            )
        except BackendError as error:
            return replace(one, notes=(*one.notes, f"its runs are not known: {error}"))
        ticks = tuple(map(_tick, reversed(answer.get("runs") or ())))
        return replace(one, ticks=ticks, next=_next(one, ticks))

    def _searched(self, word: str) -> ScheduleSnapshot:
        found = [
            one
            for one in self._answers()
            if word and (word == one.get("display_name") or str(one["recurring_run_id"]).startswith(word))
        ]
        if len(found) > 1:
            raise BackendError(
                f"{len(found)} schedules have the name {word} or an id that begins with it: give the full id"
            )
        if not found:
            raise _unknown(word)
        return self._read(found[0])

    def _read(self, answer: Json) -> ScheduleSnapshot:
        trigger = answer.get("trigger") or {}
        by_cron, by_period = trigger.get("cron_schedule") or {}, trigger.get("periodic_schedule") or {}
        when = by_cron or by_period
        status, end = str(answer.get("status", "")), seconds(when.get("end_time"))
        ended = end is not None and end <= _now()  # the server still reports it as enabled
        return ScheduleSnapshot(
            id=str(answer["recurring_run_id"]),
            name=str(answer.get("display_name", "")),
            pipeline=self._pipeline(answer),
            cron=str(by_cron.get("cron", "")),
            every=float(by_period["interval_second"]) if by_period.get("interval_second") else None,
            start=seconds(when.get("start_time")),
            end=end,
            arguments=(answer.get("runtime_config") or {}).get("parameters") or {},
            experiment=self._experiments.name(str(answer.get("experiment_id", ""))),
            enabled=answer.get("mode", "ENABLE") == "ENABLE" and not ended,
            catch_up=not answer.get("no_catchup", False),
            max_concurrency=int(answer.get("max_concurrency") or 1),
            created=seconds(answer.get("created_at")),
            digest=_digest(answer),
            status=status if status and status not in _PLAIN else "ENDED" if ended else "",
        )

    def _pipeline(self, answer: Json) -> str:
        reference = answer.get("pipeline_version_reference") or {}
        named = (spec_of(answer).get("pipelineInfo") or {}).get("name")
        return str(named or self._pipelines.of(str(reference.get("pipeline_id", ""))))


def _tick(answer: Json) -> ScheduledTick:
    """A run that a schedule started, as the time that it was started at."""
    began = seconds(answer.get("created_at")) or 0.0
    due, state = seconds(answer.get("scheduled_at")), str(answer.get("state", ""))
    return ScheduledTick(
        due=due if due and due > 0 else began,  # of one that was started by hand, the server has no time
        began=began,
        state="SUCCEEDED",
        run=str(answer["run_id"]),
        run_state=RunState(state) if state in RunState.__members__ else None,
    )


def _next(one: ScheduleSnapshot, ticks: tuple[ScheduledTick, ...]) -> float | None:
    """When an interval ends next; None of a cron, whose time zone only the server knows."""
    if one.every is None or not one.enabled:
        return None
    begun = max((tick.due for tick in ticks), default=one.start or one.created)
    return None if begun is None else begun + one.every


def _trigger(rhythm: Recurrence) -> dict[str, Any]:
    """When runs start, as the server's trigger."""
    ends = {"start_time": rhythm.start, "end_time": rhythm.end}
    given = {name: rfc3339(moment) for name, moment in ends.items() if moment is not None}
    trigger = (
        {"cron_schedule": {"cron": rhythm.cron, **given}}
        if rhythm.cron
        else {"periodic_schedule": {"interval_second": str(rhythm.every), **given}}
    )
    return {
        "max_concurrency": rhythm.max_concurrency,
        "trigger": trigger,
        "mode": "ENABLE" if rhythm.enabled else "DISABLE",
        **({} if rhythm.catch_up else {"no_catchup": True}),
    }


def _digest(answer: Json) -> str:
    """The digest of the notebook's pipeline that the schedule was made of; empty where it is not known."""
    found = str(answer.get("description") or "").partition(_DIGEST)
    return found[2] if not found[0] else ""


def _unknown(schedule_id: str) -> NotFound:
    message, hint = f"unknown schedule {schedule_id}:", "%kf_schedules lists them"
    return NotFound(message, code="not-found", hint=hint, ref=schedule_id)
