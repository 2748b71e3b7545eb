"""The parts of Kubeflow in a status, as far as they may be seen."""

from __future__ import annotations

from collections.abc import Iterable

from kfnb.resources.cluster.model import Knowledge, KubeflowPart, Status
from kfnb.resources.cluster.view.tables import BAD, DARK, GOOD
from kfnb.ui.blocks import Block, Section, Text
from kfnb.ui.table import Column, Table, TableCell, Value


def kubeflow(status: Status) -> list[Block]:
    """The parts of Kubeflow that are there, or may be."""
    found = status.kubeflow.value or ()
    there = [one for one in found if one.knowledge is not Knowledge.ABSENT]
    if not found:
        return []
    blocks: list[Block] = []
    if any(one.health is not Knowledge.HIDDEN for one in there):
        columns = (Column("Part"), Column("Version", whole=True), Column("Health"))
        rows: list[list[Value]] = [[one.name, one.version, _health(one)] for one in there]
        blocks.append(Table("Kubeflow", columns, rows).without_empty_columns())
    else:
        known = _names(one for one in there if one.knowledge is Knowledge.KNOWN)
        hidden = _names(one for one in there if one.knowledge is not Knowledge.KNOWN)
        blocks += [Text(f"Installed, with version and health hidden: {known}")] if known else []
        blocks += [Text(f"Hidden, installed or not: {hidden}")] if hidden else []
    absent = _names(one for one in found if one.knowledge is Knowledge.ABSENT)
    return [Section("Kubeflow", [*blocks, *([Text(f"Not installed: {absent}")] if absent else [])])]


def _names(parts: Iterable[KubeflowPart]) -> str:
    return ", ".join(one.name for one in parts)


def _health(one: KubeflowPart) -> TableCell:
    if one.health is Knowledge.HIDDEN:
        there = "there" if one.knowledge is Knowledge.KNOWN else "hidden"
        return TableCell(f"{there}, health hidden" if there == "there" else there, state_style=DARK)
    if one.health is not Knowledge.KNOWN:
        text = (
            "its resources exist, but no deployment does" if one.health is Knowledge.ABSENT else "not known"
        )
        return TableCell(text, state_style=DARK)
    if one.failing:
        names = ", ".join(name.partition("/")[2] for name in one.failing)
        return TableCell(f"{one.ready} of {one.desired} ready; not {names}", state_style=BAD)
    return TableCell(f"{one.ready} of {one.desired} ready", state_style=GOOD)
