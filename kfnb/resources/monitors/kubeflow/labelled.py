"""Labels in a pod: those that came are joined with the answers that are kept, and the newest are remembered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from kfnb.resources.monitors.kubeflow.answer_shelf import AnswerShelf, KeptAnswer
from kfnb.resources.monitors.model import MonitorSpec
from kfnb.resources.monitors.performance import Labelled
from kfnb.resources.services.kserve.label_folder import GivenLabels, LabelFolder

LABELLED = ("below", "above", "drop", "labels")
"""The rules that need labels."""
_MOST = 10_000
"""Labels in which ADWIN looks for a change."""


@dataclass(frozen=True)
class KnownLabel:
    """A row of a request with its label, and when that was given (seconds since 1970)."""

    at: float
    request: str
    row: int
    prediction: Any
    label: Any
    slices: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class KnownLabels:
    """The newest labels of a ``version``, the oldest first; ``last`` is when the newest of any version was given.

    ``strange`` are those of the last check that fit no row of the log.
    """

    version: str = ""
    rows: tuple[KnownLabel, ...] = ()
    last: float | None = None
    strange: int = 0

    def labelled(self) -> list[Labelled]:
        """The same as metrics are measured on."""
        return [Labelled(one.prediction, one.label, one.at, one.slices) for one in self.rows]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a report notes of them."""
        return (f"{self.strange:,} new labels fit no row that was logged",) if self.strange else ()


def needs_labels(spec: MonitorSpec) -> bool:
    """Whether any rule of a monitor does."""
    return any(one.kind in LABELLED for one in spec.rules)


def labels_after(
    spec: MonitorSpec,
    before: KnownLabels,
    shelf: AnswerShelf,
    folder: LabelFolder,
    since: float,
    until: float,
) -> KnownLabels:
    """What is known once the labels that were given between two times are."""
    known = before if before.version == shelf.version else KnownLabels(shelf.version, last=before.last)
    given = list(folder.between(since, until))
    if not given:
        return replace(known, strange=0)
    answers = shelf.find([one.request for one in given])
    rows = {(one.request, one.row): one for one in known.rows}
    strange = 0
    for one in given:
        for row, label in _known(one):
            answer = answers.get((one.request, row))
            if answer is None:
                strange += 1
                continue
            rows.pop((one.request, row), None)  # a correction is the newest label
            rows[one.request, row] = _joined(answer, label, one.at)
    most = _MOST if spec.detector == "adwin" else spec.labels
    return KnownLabels(shelf.version, tuple(rows.values())[-most:], given[-1].at, strange)


def _known(one: GivenLabels) -> Iterator[tuple[int, Any]]:
    """The labels of a request that are known, by row."""
    return ((row, label) for row, label in enumerate(one.rows) if label is not None)


def _joined(answer: KeptAnswer, label: Any, at: float) -> KnownLabel:
    """A row with its label; the columns of a table in their order, where a list is predicted."""
    listed = isinstance(answer.prediction, list) and isinstance(label, dict)
    plain = list(label.values()) if listed else label
    return KnownLabel(at, answer.request, answer.row, answer.prediction, plain, answer.slices)


def as_json(known: KnownLabels) -> dict[str, Any]:
    """Known labels as plain data."""
    return asdict(known)


def known_of(stored: Mapping[str, Any]) -> KnownLabels:
    """Known labels of what ``as_json`` made. Raises ``TypeError``, ``KeyError``."""
    rows = tuple(KnownLabel(**one) for one in stored["rows"])
    return KnownLabels(stored["version"], rows, stored["last"], stored["strange"])
