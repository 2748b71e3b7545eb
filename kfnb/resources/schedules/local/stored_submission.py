"""What a schedule's folder holds of its submission: everything that a run needs, without a kernel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from kfnb.errors import BackendError
from kfnb.jobs.scheduler.folder import ScheduleFolder
from kfnb.resources.runs.engine import Submission
from kfnb.resources.runs.events import decode, encode
from kfnb.resources.schedules.model import Recurrence

FILE = "submission.json"
PROGRAM = "kfnb.resources.schedules.local.tick"
"""The program of a schedule's ticks, which tells the schedules of pipelines from others of the home."""


@dataclass(frozen=True)
class StoredSubmission:
    """A submission as JSON. ``engine`` are the options of the engine of runs, ``env`` variables for its steps."""

    spec: Mapping[str, Any]
    platform: Mapping[str, Any] | None
    arguments: Mapping[str, Any]
    experiment: str
    cache: bool
    folder: str
    env: Mapping[str, str] = field(repr=False)
    engine: Mapping[str, Any]
    max_concurrency: int = 1
    digest: str = ""
    origin: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, submission: Submission, rhythm: Recurrence, engine: Mapping[str, Any]) -> StoredSubmission:
        """What is stored of a submission."""
        return cls(
            spec=submission.spec,
            platform=submission.platform,
            arguments=encode(submission.arguments),
            experiment=submission.experiment,
            cache=submission.cache,
            folder=submission.folder,
            env=dict(submission.env),
            engine={**engine, "linger": 0.0},
            max_concurrency=rhythm.max_concurrency,
            digest=rhythm.digest,
            origin=submission.origin,
        )

    @classmethod
    def read(cls, folder: ScheduleFolder) -> StoredSubmission:
        """What is stored in a schedule's folder. Raises ``BackendError``."""
        stored = folder.get(FILE)
        try:
            return cls(**{one.name: stored[one.name] for one in fields(cls) if one.name in stored})
        except (TypeError, LookupError) as error:
            raise BackendError(f"{folder.path / FILE} is damaged: {error!r}") from None

    def data(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @property
    def pipeline(self) -> str:
        """The pipeline's name."""
        return str(self.spec["pipelineInfo"]["name"])

    def submission(self, name: str, schedule: str) -> Submission:
        """The submission of a run that a schedule starts."""
        return Submission(
            spec=self.spec,
            platform=self.platform,
            arguments=decode(self.arguments),
            name=name,
            experiment=self.experiment,
            cache=self.cache,
            folder=self.folder,
            schedule=schedule,
            origin=self.origin,
        )
