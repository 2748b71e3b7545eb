"""The versions of a model registry, for the index of lineage."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from kfnb.artifacts.digests import Digests
from kfnb.catalog.records import MODEL, ArtifactRecord, Reading, Trace
from kfnb.errors import KfnbError
from kfnb.resources.models.checks import LATEST
from kfnb.resources.models.engine import ModelRegistry, VersionQuery
from kfnb.resources.models.local.schema import FILE
from kfnb.resources.models.model import ModelState, VersionSnapshot
from kfnb.resources.models.packer import facts_of

_CODE = "code"
"""The folder of a model folder without which its model is its file."""


class ModelRecords:
    """The versions of the registry at ``place``. See ``kfnb.catalog.records.Source``."""

    name = "models"

    def __init__(self, registry: ModelRegistry, place: str) -> None:
        self._registry, self._place = registry, place

    def stamps(self, known: Mapping[str, str]) -> Mapping[str, str]:
        """The versions of the registry, archived ones as well. Raises ``BackendError``."""
        del known  # one query has them all
        if not (Path(self._place) / FILE).exists():  # a question creates no registry
            return {}
        found = self._registry.versions(VersionQuery(archived=True, outline=True))
        newest = _newest(found)
        return {
            f"{self._place}\n{one.name}\n{one.version}": _stamp(
                one, newest=newest.get(one.name) == one.version
            )
            for one in found
        }

    def read(self, units: Iterable[str]) -> Iterator[Reading]:
        """The facts about versions."""
        newest: dict[str, int] = {}
        for unit in units:
            _, name, number = unit.rsplit("\n", 2)
            try:
                found = self._registry.version(name, int(number))
            except KfnbError:  # deleted by now
                continue
            if name not in newest:
                newest[name] = self._newest(name)
            is_newest = newest[name] == found.version
            trace = Trace(artifacts=(model_record(found, newest=is_newest),))
            yield Reading(unit, _stamp(found, newest=is_newest), trace)

    def _newest(self, name: str) -> int:
        """The number of a model's newest version that is not archived; 0 if there is none."""
        found = self._registry.newest(name)
        return 0 if found is None else found.version


def _stamp(one: VersionSnapshot, *, newest: bool) -> str:
    """A digest that changes whenever the record of a version changes."""
    measured = [(data, sorted(metrics.items())) for data, metrics in one.measured.items()]
    changing = (
        one.digest,
        one.owner,
        one.created,
        one.description,
        one.aliases,
        str(one.state),
        measured,
        one.data,
        sorted(one.data_digests.items()),
        newest,
    )
    return hashlib.sha256(json.dumps(changing).encode()).hexdigest()[:16]


def _newest(versions: Iterable[VersionSnapshot]) -> dict[str, int]:
    """By model, the newest version that is not archived."""
    found: dict[str, int] = {}
    for one in versions:
        if one.state is ModelState.LIVE:
            found[one.name] = max(one.version, found.get(one.name, 0))
    return found


def model_record(found: VersionSnapshot, *, newest: bool) -> ArtifactRecord:
    """A version as an artifact; the ``newest`` of its model has further references."""
    aliases = [f"{found.name}@{alias}" for alias in found.aliases]
    from_run = found.source.kind == "kfp"
    facts = {
        "format": found.format,
        "metrics": dict(found.metrics),
        "owner": found.owner,
        "created": found.created,
        "description": found.description,
        "state": str(found.state),
    }
    return ArtifactRecord(
        found.name,
        MODEL,
        found.uri,
        found.digest,
        also=_file_digests(Path(found.uri)) if found.uri else (),
        names=(found.ref, *aliases, *((found.name, f"{found.name}@{LATEST}") if newest else ())),
        run=found.source.id if from_run else "",
        task=found.source.task if from_run else "",
        of={ref: found.data_digests.get(ref, "") for ref in found.behind},
        properties={name: value for name, value in facts.items() if value},
    )


def _file_digests(folder: Path) -> tuple[str, ...]:
    """The digest of the model's file, where the model folder has no code that belongs to the model."""
    try:
        if (folder / _CODE).exists():
            return ()
        return tuple(filter(None, [Digests().content(folder / facts_of(folder).file)]))
    except (KfnbError, OSError):  # a folder that cannot be read, or that is on a cluster
        return ()
