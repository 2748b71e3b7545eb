"""The leaderboard: what was measured on the same data is ranked together, best first; the rest stands apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, overload

from kfnb.errors import UsageError, did_you_mean
from kfnb.prices.rates import Cost
from kfnb.resources.models.data_damage import damage_of
from kfnb.resources.models.metric_direction import maximized
from kfnb.resources.models.model import NO_DAMAGE, DataDamage, VersionSnapshot

MOST_ROWS = 50


@dataclass
class LeaderboardEntry:
    """A version of a model as it was measured on one version of the data, a run, or the best trial of a study.

    ``data`` is the reference of the data version and ``data_digest`` the digest of its content, empty if it was not
    recorded. ``rank`` counts from 1 among entries that were measured on the same data; None for an entry that cannot be
    compared. ``kind`` is ``version``, ``run`` or ``trial``, and ``ref`` names it. ``made_of`` are the versions of data
    sets behind it, ``run`` is the id of the run that made it.
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
    made_of: tuple[str, ...] = ()
    rank: int | None = None
    run: str = ""

    @property
    def behind(self) -> tuple[str, ...]:
        """The versions of data sets that it was made of, or measured on."""
        return tuple(dict.fromkeys(filter(None, (*self.made_of, self.data))))


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


@dataclass(frozen=True)
class LeaderboardQuery:
    """What a leaderboard is about: see ``kfnb.models``. ``limit`` is how many of each group are displayed."""

    name: str | None = None
    by: str | None = None
    owner: str | None = None
    since: str | float | datetime | None = None
    data: str | None = None
    alias: str | None = None
    tag: str | None = None
    namespace: str | None = None
    archived: bool = False
    runs: bool = False
    maximize: bool | None = None
    backend: str | None = None
    limit: int = MOST_ROWS

    @property
    def chooses(self) -> bool:
        """Whether it is about some versions alone."""
        return any((self.owner, self.since, self.data, self.alias, self.tag, self.namespace))


class Leaderboard(Sequence[LeaderboardEntry]):
    """Entries by groups, in each the best first by the metric ``by``; those without the metric last.

    ``metrics`` are the names of all metrics: ``by`` first, then the most frequent ones. ``query`` is what it is about;
    None for entries that were not asked for.
    """

    def __init__(
        self, groups: Iterable[LeaderboardGroup], by: str, *, maximize: bool, only: str = ""
    ) -> None:
        self.groups = tuple(groups)
        self.by, self.maximize, self.only = by, maximize, only
        self.query: LeaderboardQuery | None = None
        self._entries = [entry for group in self.groups for entry in group.entries]
        self.metrics = _by_frequency(self._entries, by)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Leaderboard) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]  # as a list

    @property
    def limit(self) -> int:
        """How many of each group are displayed."""
        return self.query.limit if self.query else MOST_ROWS

    def snapshot(self) -> ShownLeaderboard:
        """What is displayed of it: also whether the data behind it is damaged, and what its runs cost."""
        from kfnb.resources.models.run_costs import costs_of

        return ShownLeaderboard(self, damage_of(self.data_behind), costs_of(one.run for one in self._entries))

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

    @property
    def data_behind(self) -> set[str]:
        """The versions of data sets behind its versions of this machine: those of a cluster may be in another store."""
        from kfnb.target import split_reference

        here = [one for one in self._entries if one.kind == "version" and not split_reference(one.ref)[0]]
        return {ref for one in here for ref in one.behind}

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


class LeaderboardState(str, Enum):
    """The state of a leaderboard: it is never finished."""

    OPEN = "OPEN"
    finished = property(lambda _: False)


@dataclass(frozen=True)
class ShownLeaderboard:
    """A leaderboard as it is displayed, with what is known to be wrong with the data behind it, and costs by run."""

    board: Leaderboard
    damage: DataDamage = NO_DAMAGE
    costs: Mapping[str, Cost] = field(default_factory=dict)
    state: LeaderboardState = LeaderboardState.OPEN


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
        version.data,
        run=version.source.id if version.source.kind == "kfp" else "",
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
        hint = did_you_mean(str(by), counts, f"there are {', '.join(sorted(counts))}" if counts else "")
        raise UsageError(f"no model has the metric {by}", hint=hint, ref=str(by))
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
