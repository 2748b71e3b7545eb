"""Finds the likely causes of skew of the version that is served here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kfnb.errors import KfnbError, UsageError
from kfnb.resources.models.api import model
from kfnb.resources.models.handle import ModelVersion
from kfnb.resources.monitors.model import SkewCause
from kfnb.resources.monitors.reference import MonitorReference
from kfnb.resources.monitors.skew.causes import likely_causes
from kfnb.resources.monitors.skew.evidence import ColumnEvidence, Replay, SkewEvidence, columns_of
from kfnb.resources.monitors.skew.replay import replayed
from kfnb.resources.monitors.skew.serving import ServedRows
from kfnb.resources.services.model import Revision


@dataclass(frozen=True)
class FoundCauses:
    """Likely causes, and notes of what could not be compared."""

    causes: tuple[SkewCause, ...] = ()
    notes: tuple[str, ...] = ()


def find_causes(
    reference: MonitorReference, rows: ServedRows, revision: Revision | None, now: float
) -> FoundCauses:
    """The likely causes of skew: served rows against what the version was made of."""
    if revision is None:  # another one is served by now
        return FoundCauses()
    target, notes = revision.target, list[str]()
    try:
        version = model(f"{target.registry}:{target.ref}")
    except KfnbError as error:
        return FoundCauses(likely_causes(SkewEvidence(_columns(reference, rows))), (f"skew: {error}",))
    replay: Replay | None = None
    try:
        replay = replayed(version, rows)
    except UsageError as error:
        notes.append(f"skew: {error}")
    evidence = SkewEvidence(
        _columns(reference, rows),
        now - reference.gathered if reference.gathered else 0.0,
        dict(_packages(version, revision)),
        (version.digest, target.digest),
        replay,
    )
    return FoundCauses(likely_causes(evidence), tuple(notes))


def _columns(reference: MonitorReference, rows: ServedRows) -> tuple[ColumnEvidence, ...]:
    """Inputs and features, where it is known what the version was made of."""
    if not reference.source:
        return ()
    trained = reference.training or reference.profile
    return (
        *columns_of("input", trained, rows.values, reference.hours),
        *columns_of("feature", reference.features, rows.features, reference.hours),
    )


def _packages(version: ModelVersion, revision: Revision) -> Iterator[tuple[str, tuple[str, str]]]:
    """By name, the versions that a model was saved with, and those in the environment that it was checked in."""
    served = revision.parity.report.get("packages")
    for name, saved in version.packages.items():
        if isinstance(served, Mapping) and name in served:
            yield name, (saved, str(served[name]))
