"""The services of a home, for the index of lineage: each revision is a use of its model version."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from kfnb.catalog.records import (
    MODEL,
    SERVICE,
    ArtifactRecord,
    Reading,
    RunContext,
    TaskExecution,
    Trace,
    Use,
)
from kfnb.entities import RunState
from kfnb.errors import BackendError
from kfnb.jobs.eventlog import reading
from kfnb.resources.services.local.folder import ServiceFolder, existing, find
from kfnb.resources.services.model import DesiredState, Target


class ServiceRecords:
    """The services of a home. See ``kfnb.catalog.records.Source``."""

    name = "services"

    def __init__(self, home: Path) -> None:
        self._home = home

    def stamps(self, known: Mapping[str, str]) -> Mapping[str, str]:
        """The services of the home. Raises ``BackendError``."""
        del known  # there are few
        found = {}
        for folder in existing(self._home):
            with suppress(BackendError):  # a damaged service, which other commands report
                found[folder.name] = _stamp(folder)
        return found

    def read(self, units: Iterable[str]) -> Iterator[Reading]:
        """The facts about services."""
        for unit in units:
            with suppress(BackendError):
                folder = find(self._home, unit)
                yield Reading(unit, _stamp(folder), _trace(folder))


def _stamp(folder: ServiceFolder) -> str:
    return f"{folder.generation()} {_state(folder)}"


def _state(folder: ServiceFolder) -> str:
    if not folder.started_once:
        return ""
    with reading(folder.path) as log:
        return log.state()


def _trace(folder: ServiceFolder) -> Trace:
    """What a service serves, and what it served before."""
    state = _state(folder)
    generations = [folder.desired(number) for number in range(1, folder.generation() + 1)]
    context = RunContext(SERVICE + folder.name, folder.name, "", "local", state, generations[0].move.at)
    seen: dict[int, Target] = {target.revision: target for one in generations for target in one.targets}
    executions = tuple(_execution(number, generations, state) for number in seen)
    artifacts = tuple(ArtifactRecord(one.model, MODEL, one.uri, one.digest) for one in seen.values())
    uses = tuple(Use(at, at, output=False, name=one.role) for at, one in enumerate(seen.values()))
    return Trace(context, executions, artifacts, uses)


def _execution(number: int, generations: list[DesiredState], state: str) -> TaskExecution:
    """A revision: from the change that it came with to the one that it went with."""
    having = [
        at for at, one in enumerate(generations) if number in {target.revision for target in one.targets}
    ]
    after = having[-1] + 1
    return TaskExecution(
        f"revision {number}",
        state if after == len(generations) else str(RunState.SUCCEEDED),
        generations[having[0]].move.at,
        None if after == len(generations) else generations[after].move.at,
    )
