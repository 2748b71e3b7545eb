"""``draw_model_version``: the page of a version: what it is, how it is loaded, its model's versions and aliases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kfnb.resources.models.metric_direction import maximized
from kfnb.resources.models.model import (
    NO_DAMAGE,
    AliasChange,
    ColumnType,
    DataDamage,
    ModelSource,
    ModelState,
    VersionSnapshot,
)
from kfnb.resources.models.view.verification import DAMAGED, damage_words
from kfnb.resources.monitors.model import MonitorOutline
from kfnb.resources.monitors.view.outlines import outlines
from kfnb.ui import theme
from kfnb.ui.blocks import Block, CodeBlock, Folded, Row, Section, Text, Title, bundle
from kfnb.ui.plot import Plot, PlotLine, axis
from kfnb.ui.states import StateStyle
from kfnb.ui.table import Column, Table, TableCell, Value
from kfnb.ui.words import aligned, digits, file_size, moment, short

_MOST_VERSIONS, _MOST_CHANGES, _MOST_METRICS = 20, 20, 4
_MOST_COLUMNS, _FOLDED_COLUMNS, _NAMED_COLUMNS = 200, 10, 5
_ARCHIVED = StateStyle("⊘", "Archived", theme.GREY, "")


def draw_model_version(
    version: VersionSnapshot,
    versions: Sequence[VersionSnapshot],
    changes: Sequence[AliasChange],
    backend: str = "local",
    damage: DataDamage = NO_DAMAGE,
    monitors: Sequence[MonitorOutline] = (),
    *,
    known_run: bool = True,
) -> dict[str, str]:
    """A version of a backend's registry as a mimebundle.

    ``versions`` are all of its model, ``changes`` those of its aliases, newest first. ``damage`` is that of the data
    behind it, ``monitors`` watch services of its model, ``known_run`` is whether the run that made it is still there.
    """
    facts = (
        version.format,
        file_size(version.size),
        f"by {version.owner}" if version.owner else "",
        moment(version.created),
        f"sha256 {version.digest[:12]}",
    )
    archived = _ARCHIVED if version.state is ModelState.ARCHIVED else None
    where = "" if backend == "local" else f"{backend}:"
    title = Title(
        f"{where}{version.ref}", archived, ", ".join(f"@{alias}" for alias in version.aliases), facts
    )
    blocks: list[Block] = [title]
    if version.description:
        blocks.append(Text(version.description))
    if version.format == "pickle":
        blocks.append(
            Text("This model is a pickle, which executes code when it is loaded: trust who registered it.")
        )
    blocks += [
        *_warnings(version, damage),
        Row([*_facts(version, known_run=known_run), *_signatures(version, wide=False)]),
        *_signatures(version, wide=True),
        *_use(version, where),
        *outlines(monitors),
        *_versions(version, versions),
        *draw_changes(changes),
    ]
    return bundle(f"Model {version.ref}", blocks)


def _warnings(version: VersionSnapshot, damage: DataDamage) -> Iterator[Block]:
    words = damage_words(version.behind, damage.problems)
    if words:
        yield Text(
            f"{DAMAGED.icon} Damaged data is behind this version: {words}. kfnb models check reads it again."
        )
    if damage.note:
        yield Text(damage.note)


def draw_history(changes: Sequence[AliasChange]) -> dict[str, str]:
    """Changes of aliases as a mimebundle."""
    return bundle("Alias history", list(draw_changes(changes)) or [Text("No alias was set yet.")])


def draw_changes(changes: Sequence[AliasChange]) -> Iterator[Block]:
    """A table of changes of aliases."""
    if not changes:
        return
    columns = (
        Column("When", whole=True),
        Column("Alias"),
        Column("From", number=True),
        Column("To", number=True),
        Column("By"),
        Column("Because"),
    )
    rows: list[list[Value]] = [
        [
            moment(one.at),
            f"{one.model}@{one.alias}",
            "" if one.from_version is None else str(one.from_version),
            "removed" if one.to_version is None else str(one.to_version),
            one.by,
            one.because,
        ]
        for one in changes[:_MOST_CHANGES]
    ]
    yield Section("Aliases over time", [Table("Aliases over time", columns, rows).without_empty_columns()])


def _facts(version: VersionSnapshot, *, known_run: bool) -> Iterator[Block]:
    for data, metrics in version.measured.items():
        heading = f"Metrics on {data}" if data else "Metrics"
        yield _pairs(heading, {name: digits(value) for name, value in metrics.items()})
    if version.parameters:
        yield _pairs("Parameters", {name: short(value) for name, value in version.parameters.items()})
    origin = {
        "data": ", ".join(version.data),
        **_source(version.source, known_run=known_run),
        "transform": transform_words(version.transform),
        "Python": version.python,
        **dict(sorted(version.packages.items())),
        **{f"tag {name}": value or "yes" for name, value in sorted(version.tags.items())},
    }
    if any(origin.values()):
        yield _pairs("Made of", {name: text for name, text in origin.items() if text})


def _signatures(version: VersionSnapshot, *, wide: bool) -> Iterator[Block]:
    """What the model takes and returns: those of few columns, or the ``wide`` ones, which are folded."""
    for heading, columns in ("Takes", version.signature.inputs), ("Returns", version.signature.outputs):
        if columns and wide == (len(columns) > _FOLDED_COLUMNS):
            yield _folded(heading, columns) if wide else Section(heading, [_signature(heading, columns)])


def _folded(heading: str, columns: Sequence[ColumnType]) -> Block:
    count = f"{heading} {len(columns)} columns"
    names = ", ".join(one.name for one in columns[:_NAMED_COLUMNS])
    rest = len(columns) - _MOST_COLUMNS
    more = [Text(f"and {rest} more columns")] if rest > 0 else []
    table = _signature(heading, columns[:_MOST_COLUMNS])
    return Folded(f"{count}: {names}, …", [table, *more], text_form=f"{count}: {names}, …")


def transform_words(digests: str) -> str:
    """The digests of a transform, as far as people compare them; empty without one."""
    code, _, state = digests.partition("-")
    return ", ".join(filter(None, (code and f"code {code[:12]}", state and f"state {state[:12]}")))


def _source(source: ModelSource, *, known_run: bool) -> Mapping[str, str]:
    if source.kind == "kfp":
        return {
            "run": f"{source.id}{'' if known_run else ' (deleted, or not on this machine)'}",
            "task": source.task,
        }
    return {"from": source.id} if source.kind == "import" else {}


def _pairs(heading: str, values: Mapping[str, str]) -> Block:
    rows: list[list[Value]] = [[name, value] for name, value in values.items()]
    return Section(heading, [Table(heading, (Column("Name"), Column("Value")), rows)])


def _signature(heading: str, columns: Sequence[ColumnType]) -> Table:
    rows: list[list[Value]] = [
        [
            one.name,
            TableCell(f"{one.type}{' or null' if one.nullable else ''}", code=True),
            " x ".join("rows" if size < 0 else str(size) for size in one.shape),
        ]
        for one in columns
    ]
    table = Table(heading, (Column("Column"), Column("Type"), Column("Shape")), rows)
    return table.without_empty_columns()


def _use(version: VersionSnapshot, where: str) -> Iterator[Block]:
    which = version.aliases[0] if version.aliases else str(version.version)
    how = ", pickle=True" if version.format == "pickle" else ""
    found = f'kfnb.model("{where}{version.name}@{which}")'
    load = f"load({how.removeprefix(', ')})"
    code = f"{found}.{load}"
    if version.transform:
        code = f"version = {found}\nX = version.transform.transform(df)\nversion.{load}.predict(X)"
    yield Section("Use", [CodeBlock(code)])


def _versions(version: VersionSnapshot, versions: Sequence[VersionSnapshot]) -> Iterator[Block]:
    if len(versions) < 2:  # noqa: PLR2004 - nothing to compare with
        return
    metrics = _common(versions)[:_MOST_METRICS]
    if metrics:
        yield from _curve(metrics[0], versions)
    columns = (
        Column("Version", number=True),
        Column("Aliases"),
        *(Column(name, number=True) for name in metrics),
        Column("Measured on", whole=True),
        Column("Owner"),
        Column("Registered", whole=True),
        Column("State"),
    )
    shown = versions[:_MOST_VERSIONS]
    values = [aligned(one.metrics.get(name) for one in shown) for name in metrics]
    rows: list[list[Value]] = [
        [
            f"{one.version}{' (this)' if one.version == version.version else ''}",
            ", ".join(one.aliases),
            *(texts[row] for texts in values),
            one.metrics_data,
            one.owner,
            moment(one.created),
            "archived" if one.state is ModelState.ARCHIVED else "",
        ]
        for row, one in enumerate(shown)
    ]
    rest = len(versions) - _MOST_VERSIONS
    more = [Text(f"{rest} more; %kf_models {version.name} shows them.")] if rest > 0 else []
    yield Section("Versions", [Table("Versions", columns, rows).without_empty_columns(), *more])


def _common(versions: Sequence[VersionSnapshot]) -> list[str]:
    """The metrics of some versions, the most frequent first."""
    counts: dict[str, int] = {}
    for one in versions:
        for name in one.metrics:
            counts[name] = counts.get(name, 0) + 1
    return sorted(counts, key=lambda name: (-counts[name], name))


def _curve(metric: str, versions: Sequence[VersionSnapshot]) -> Iterator[Block]:
    """How a metric went from version to version; a line for each version of the data."""
    by_data: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for one in sorted(versions, key=lambda one: one.version):
        for data, metrics in one.measured.items():
            if metric in metrics:
                key = data, one.data_digests.get(data, "")
                by_data.setdefault(key, []).append((float(one.version), metrics[metric]))
    points = [point for some in by_data.values() for point in some]
    if len(points) < 2:  # noqa: PLR2004 - no line
        return
    choose: Any = max if maximized(metric) else min
    lines = [
        PlotLine(
            data or ("data not recorded" if len(by_data) > 1 else ""),
            some,
            "best {} (version {:g})".format(*_best(choose(some, key=lambda point: point[1]))),
            series,
        )
        for series, ((data, _), some) in enumerate(by_data.items())
    ]
    x = axis("version", [at for at, _ in points], 420, margin=0.03, whole=True)
    y = axis(metric, [value for _, value in points], 160, margin=0.08)
    yield Plot(f"{metric} by version", lines, x, y)


def _best(point: tuple[float, float]) -> tuple[str, float]:
    return digits(point[1], 5), point[0]
