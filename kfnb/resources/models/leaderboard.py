"""The leaderboard: what was measured on the same data is ranked together, best first; the rest stands apart."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

from kfnb.errors import UsageError, did_you_mean
from kfnb.resources.models.model import VersionSnapshot

_LOWER = frozenset(
    re.findall(
        r"\w+",
        """loss error err mae mse rmse rmsle mape wape smape logloss mlogloss nll brier perplexity cost latency seconds
        deviance hinge wer cer fid ece fpr fnr""",
    )
)
"""Words of metrics of which less is better: ``val_loss``, ``test-rmse``, ``trainLoss``."""
_NEGATED = "neg"
"""The word by which scikit-learn says that more is better after all: ``neg_log_loss``."""
_WORD = re.compile(r"[A-Z]*[a-z0-9]+|[A-Z]+")

MOST_ROWS = 50


def maximized(metric: str) -> bool:
    """Whether more of a metric is better, by its name."""
    words = {word.lower() for word in _WORD.findall(metric)}
    return _NEGATED in words or not words & _LOWER


@dataclass
class LeaderboardEntry:
    """A version of a model as it was measured on one version of the data, a run, or the best trial of a study.

    ``data`` is the reference of the data version and ``data_digest`` the digest of its content, empty if it was not
    recorded. ``rank`` counts from 1 among entries that were measured on the same data; None for an entry that cannot be
    compared. ``kind`` is ``version``, ``run`` or ``trial``, and ``ref`` names it.
    """

    ref: str
    name: str
    version: int | None = None
    kind: str = "version"
    aliases: tuple[str, ...] = ()
    owner: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    data: str = ""
    data_digest: str = ""
    created: float | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    rank: int | None = None


@dataclass(frozen=True)
class LeaderboardGroup:
    """Entries that were measured on the same data. ``data`` is its reference, empty where it is not recorded.

    ``digest`` is that of its content; empty if no entry records it. With ``ambiguous``, other groups have the same
    reference, for other content.
    """

    data: str
    entries: tuple[LeaderboardEntry, ...]
    digest: str = ""
    ambiguous: bool = False

    @property
    def title(self) -> str:
        """The reference, with the beginning of the digest where the reference alone is ambiguous."""
        if not self.ambiguous:
            return self.data
        return f"{self.data} ({self.digest[:8] if self.digest else 'content not recorded'})"

    @property
    def unverified(self) -> int:
        """Number of entries that were put into this group by the reference alone, beside others with the digest."""
        return sum(not one.data_digest for one in self.entries) if self.digest else 0

    @property
    def newest(self) -> float:
        """When its newest entry was registered, in seconds since 1970; 0 if unknown."""
        return max((one.created or 0.0 for one in self.entries), default=0.0)


class Leaderboard(Sequence[LeaderboardEntry]):
    """Entries by groups, in each the best first by the metric ``by``; those without the metric last.

    ``metrics`` are the names of all metrics: ``by`` first, then the most frequent ones. ``limit`` is how many of each
    group are displayed, ``chosen`` is whether only some versions were asked for.
    """

    def __init__(
        self, groups: Iterable[LeaderboardGroup], by: str, *, maximize: bool, only: str = ""
    ) -> None:
        self.groups = tuple(groups)
        self.by, self.maximize, self.only = by, maximize, only
        self.limit, self.chosen = MOST_ROWS, False
        self._entries = [entry for group in self.groups for entry in group.entries]
        self.metrics = _by_frequency(self._entries, by)

    @overload
    def __getitem__(self, index: int) -> LeaderboardEntry: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[LeaderboardEntry]: ...
    def __getitem__(self, index: int | slice) -> LeaderboardEntry | Sequence[LeaderboardEntry]:
        return self._entries[index]

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        lines = (f"{one.rank or '-'}  {one.ref}  {one.metrics.get(self.by, '')}" for one in self._entries)
        return "\n".join(lines) or "no models yet"

    def to_frame(self) -> Any:
        """A pandas DataFrame: name, version, aliases, owner, data, created, rank, and a column for each metric."""
        from kfnb.extras import require

        require("pandas", "to_frame")
        import pandas as pd

        rows = [
            {
                "name": one.name,
                "version": one.version,
                "aliases": ", ".join(one.aliases),
                "owner": one.owner,
                "data": one.data,
                "created": None if one.created is None else pd.Timestamp(one.created, unit="s"),
                "rank": one.rank,
                **{name: one.metrics.get(name) for name in self.metrics},
            }
            for one in self._entries
        ]
        return pd.DataFrame(rows, columns=[*_COLUMNS, *self.metrics])


def _by_frequency(entries: Iterable[LeaderboardEntry], first: str) -> list[str]:
    counts = Counter(name for one in entries for name in one.metrics)
    rest = sorted(counts, key=lambda name: (-counts[name], name))
    return [*([first] if first else []), *(name for name in rest if name != first)]


_COLUMNS = ("name", "version", "aliases", "owner", "data", "created", "rank")


def entries_of(
    version: VersionSnapshot, backend: str = "local", data: str = "", digest: str = ""
) -> Iterator[LeaderboardEntry]:
    """The entries of a version of a backend's registry: one for each version of the data that it was measured on.

    With ``data`` and the ``digest`` of its content, those on that data alone, if it was measured on it.
    """
    measured = version.measured
    chosen = {on: metrics for on, metrics in measured.items() if data and version.is_data(on, data, digest)}
    measured = chosen or measured
    for on, metrics in measured.items() or [(version.metrics_data, version.metrics)]:
        yield _entry(version, backend, metrics, on)


def _entry(
    version: VersionSnapshot, backend: str, metrics: Mapping[str, float], data: str
) -> LeaderboardEntry:
    return LeaderboardEntry(
        version.ref if backend == "local" else f"{backend}:{version.ref}",
        version.name,
        version.version,
        "version",
        version.aliases,
        version.owner,
        metrics,
        data,
        version.data_digests.get(data, ""),
        version.created,
        version.tags,
    )


def ranked(
    entries: Sequence[LeaderboardEntry], by: str = "", *, maximize: bool | None = None, only: str = ""
) -> Leaderboard:
    """Rank entries by a metric, by default the one that most of them have. The ranks are written into the entries.

    ``maximize`` is whether more is better; by default the metric's name decides. ``only`` is the model of all entries.
    Raises ``UsageError`` for an unknown metric.
    """
    counts = Counter(name for one in entries for name in one.metrics)
    if by and entries and by not in counts:
        hint = did_you_mean(by, counts, f"there are {', '.join(sorted(counts))}" if counts else "")
        raise UsageError(f"no model has the metric {by}", hint=hint, ref=by)
    metric = by or min(counts, key=lambda name: (-counts[name], name), default="")
    more = maximized(metric) if maximize is None else maximize
    groups = [
        LeaderboardGroup(data, _sorted(same, metric, more=more), digest, ambiguous)
        for data, digest, ambiguous, same in by_content(entries)
    ]
    groups.sort(key=lambda one: (not one.data, -one.newest, -len(one.entries), one.data))
    return Leaderboard(groups, metric, maximize=more, only=only)


def by_content(
    entries: Iterable[LeaderboardEntry],
) -> Iterator[tuple[str, str, bool, list[LeaderboardEntry]]]:
    """Entries on the same data: its commonest reference, its digest, whether the reference is ambiguous, the entries.

    An entry that does not record the digest belongs to the only content of that reference, if there is just one.
    """
    entries = list(entries)
    digests: dict[str, set[str]] = {}
    for one in entries:
        if one.data and one.data_digest:
            digests.setdefault(one.data, set()).add(one.data_digest)
    found: dict[tuple[str, str], list[LeaderboardEntry]] = {}
    for one in entries:
        known = digests.get(one.data, set())
        digest = one.data_digest or (next(iter(known)) if len(known) == 1 else "")
        found.setdefault(("", digest) if digest else (one.data, ""), []).append(one)
    for (_, digest), same in found.items():
        data = Counter(one.data for one in same).most_common(1)[0][0]
        yield data, digest, len(digests.get(data, ())) > 1, same


def _sorted(entries: list[LeaderboardEntry], metric: str, *, more: bool) -> tuple[LeaderboardEntry, ...]:
    """The best first, with ranks: equal values share one, and the entries of unknown data have none."""
    sign = -1.0 if more else 1.0
    measured = [one for one in entries if metric in one.metrics]
    measured.sort(key=lambda one: sign * one.metrics[metric])
    rest = [one for one in entries if metric not in one.metrics]
    if entries[0].data:
        rank, last = 0, None
        for place, one in enumerate(measured, 1):
            if one.metrics[metric] != last:
                rank, last = place, one.metrics[metric]
            one.rank = rank
    return (*measured, *rest)
