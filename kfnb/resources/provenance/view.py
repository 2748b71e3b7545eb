"""``draw_manifest``: a manifest as ten blocks to open, each with what matters first in its heading."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kfnb.entities.manifest import Layer, LayerName, Manifest, StepEnvironment
from kfnb.entities.manifest_facts import FACTS
from kfnb.text.shorten import some
from kfnb.ui.blocks import Block, Folded, Section, Text, Title, bundle, notes_section
from kfnb.ui.table import Column, Table, TableCell
from kfnb.ui.words import cut, file_size, moment, one_line

_KINDS = {"kernel": "this kernel", "model": "model version"}
_TITLES = {
    LayerName.UX: "UX",
    LayerName.OS: "OS",
}
_BYTES = frozenset({"memory", "memory_limit"})
_FIRST: dict[LayerName, tuple[str, ...]] = {
    LayerName.MODEL: ("pipeline", "format", "digest", "data", "arguments"),
    LayerName.UX: ("notebook", "client", "user"),
    LayerName.TOOLING: ("python", "kfnb", "kfp", "commit"),
    LayerName.FRAMEWORK: ("packages", "threads"),
    LayerName.STORAGE: ("store", "inputs", "filesystem"),
    LayerName.RUNTIME: ("image", "container", "cpus", "node"),
    LayerName.DRIVERS: ("nvidia", "cuda_runtime", "cudnn"),
    LayerName.OS: ("distribution", "kernel", "locale"),
    LayerName.ACCELERATOR: ("devices", "product"),
    LayerName.HARDWARE: ("cpu", "blas_kernel", "instance_type"),
}
"""The facts that the heading of a layer tells."""
_LINE = 78
_WIDEST = 60
_SHORT = 12
_DIGEST = 64
_LONG_DIGEST = re.compile(r"(?:sha256:)?\b([0-9a-f]{12})[0-9a-f]{28,52}\b")
"""A digest or a commit in a heading, which has its beginning."""
_MOST = 300
"""Rows of a table of packages or other parts of a fact."""
_MOST_ENVIRONMENTS = 20
_NAMES = 100


def draw_manifest(manifest: Manifest) -> dict[str, str]:
    """A manifest as a mimebundle of HTML and text."""
    blocks: list[Block] = [_title(manifest), *notes_section(manifest.notes)]
    blocks += [_layer(layer) for layer in manifest]
    if len(manifest.environments) > 1:
        blocks.append(_environments(manifest))
    return bundle(f"Manifest of {manifest.ref}", blocks)


def _title(manifest: Manifest) -> Title:
    kind = _KINDS.get(manifest.kind, manifest.kind)
    facts = (
        kind,
        f"stage {manifest.stage}" if manifest.stage else "",
        moment(manifest.created) if manifest.created else "",
        manifest.backend,
    )
    return Title(f"Manifest of {manifest.ref}", facts=tuple(filter(None, facts)))


def _layer(layer: Layer) -> Folded:
    name = _TITLES.get(layer.name, str(layer.name).capitalize())
    summary = _LONG_DIGEST.sub(r"\1", " · ".join(_summary(layer))) or (
        "hidden" if layer.hidden else "none" if layer.facts else "not recorded"
    )
    tables = list(_tables(layer))
    return Folded(f"{name}: {cut(summary, _LINE)}", tables or [Text("Not recorded.")])


def _summary(layer: Layer) -> Iterator[str]:
    """The facts that the heading of a layer tells, in a few words each."""
    words = FACTS[layer.name]
    for name in _FIRST[layer.name]:
        value = layer.facts.get(name)
        if value in (None, "", [], {}):
            continue
        if isinstance(value, list | tuple):
            devices = [str(one.get("model", "device")) for one in value if isinstance(one, Mapping)]
            yield ", ".join(f"{devices.count(one)} x {one}" for one in dict.fromkeys(devices)) or str(
                len(value)
            )
        elif isinstance(value, Mapping):
            yield (
                f"{len(value)} {words[name]}"
                if name in ("packages", "inputs")
                else ", ".join(f"{key}={_text(name, one)}" for key, one in list(value.items())[:3])
            )
        else:
            label = (
                "" if name in ("pipeline", "notebook", "cpu", "distribution", "image") else f"{words[name]} "
            )
            yield f"{label}{_text(name, value)}"


def _tables(layer: Layer) -> Iterator[Block]:
    """The facts of a layer as a table, and a table for each that has many parts."""
    words = FACTS[layer.name]
    known = sorted(layer.facts, key=lambda name: list(words).index(name) if name in words else len(words))
    simple = [name for name in known if not _is_large(layer.facts[name])]
    rows = [(words.get(name, name), _text(name, layer.facts[name])) for name in simple]
    rows += [(words.get(name, name), f"hidden: {why}") for name, why in layer.hidden.items()]
    if rows:
        cells = [(one_line(name), _cell(text)) for name, text in rows]
        yield Table(f"Layer {layer.name}", (Column("Fact"), Column("Value")), cells)
    for name in known:
        if name not in simple:
            heading, value = words.get(name, name).capitalize(), layer.facts[name]
            parts = [_parts(name, heading, value)]
            yield (
                Folded(f"{len(value)} packages", parts, text_form=_list(value))
                if name == "packages"
                else Section(heading, parts)
            )


def _is_large(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value)


def _list(packages: Mapping[str, Any]) -> str:
    """Packages in a few lines of text."""
    named = [f"{name} {one.get('version', '')}" for name, one in packages.items() if isinstance(one, Mapping)]
    return f"Packages: {some(named, _NAMES)}"


def _parts(name: str, heading: str, value: Mapping[str, Any]) -> Table:
    shown = list(value.items())[:_MOST]
    if name == "packages":
        columns: tuple[Column, ...] = (Column("Package"), Column("Version"), Column("From"), Column("Digest"))
        rows: list[Any] = [
            (
                package,
                str(own.get("version", "")),
                str(own.get("url") or own.get("installer") or ""),
                TableCell(str(own.get("digest", ""))[:_SHORT], code=True, hint=str(own.get("digest", ""))),
            )
            for package, own in shown
            if isinstance(own, Mapping)
        ]
    else:
        columns = (Column("Name"), Column("Value"))
        rows = [(str(key), _cell(_text(str(key), one))) for key, one in shown]
    if len(value) > _MOST:
        rows.append((f"and {len(value) - _MOST} more", *[""] * (len(columns) - 1)))
    return Table(heading, columns, rows)


def _cell(text: str) -> TableCell:
    """A text in a table: a digest by its beginning."""
    bare = text.removeprefix("sha256:")
    if len(bare) == _DIGEST and bare.isalnum():
        return TableCell(bare[:_SHORT], code=True, hint=text)
    return TableCell(text)


def _text(name: str, value: Any) -> str:
    """A fact as a text: what is known to be none is ``none``."""
    if value is None or value in ([], {}, ""):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name in _BYTES and isinstance(value, int):
        return file_size(value)
    if isinstance(value, list | tuple):
        return some([_text("", one) for one in value], _NAMES)
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_text(str(key), one)}" for key, one in value.items())
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _environments(manifest: Manifest) -> Section:
    """What differs between the environments of the tasks."""
    first, *others = manifest.environments[:_MOST_ENVIRONMENTS]
    rows: list[tuple[str, str]] = [(_tasks(first), "as above")]
    rows += [(_tasks(one), "; ".join(_differences(first, one)) or "in details") for one in others]
    if len(manifest.environments) > _MOST_ENVIRONMENTS:
        rows.append((f"and {len(manifest.environments) - _MOST_ENVIRONMENTS} more", ""))
    return Section(
        "Environments of the tasks", [Table("Environments", (Column("Tasks"), Column("Differs in")), rows)]
    )


def _tasks(one: StepEnvironment) -> str:
    return some(one.tasks, 3)


def _differences(first: StepEnvironment, other: StepEnvironment) -> Iterator[str]:
    before: Mapping[LayerName, Layer] = {layer.name: layer for layer in first.layers}
    for layer in other.layers:
        own = before.get(layer.name, Layer(layer.name)).facts
        names: Sequence[str] = [
            FACTS[layer.name].get(name, name)
            for name in layer.facts
            if own.get(name) != layer.facts[name] and name != "packages_digest"
        ]
        if names:
            yield f"{layer.name}: {', '.join(names)}"
