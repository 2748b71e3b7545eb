"""``draw_component``: the inputs, outputs and dependencies of a component."""

from __future__ import annotations

from collections.abc import Iterable

from kfnb.entities import CarriedItem, ComponentView, PodSetting, Port
from kfnb.ui.blocks import Block, CodeBlock, Folded, Row, Section, Text, Title, bundle, notes_section
from kfnb.ui.table import Column, Table, TableCell, Value
from kfnb.ui.words import cut

LONGEST_SUMMARY = 80


def draw_component(view: ComponentView) -> dict[str, str]:
    """A component as a mimebundle of HTML and text."""
    cell = f"cell {view.cell}" if view.cell else ""
    image = f"image {view.image}" if view.image else ""
    blocks: list[Block] = [Title(view.name, facts=(view.kind, cell, image)), *notes_section(view.notes)]
    ports = [*_ports("Inputs", view.inputs), *_outputs(view.outputs)]
    if ports:
        blocks.append(Row(ports))
    blocks += [*_travellers(view.travellers), *_packages(view.packages), *_pod(view.pod)]
    if view.source:
        blocks.append(Folded("Source", [CodeBlock(view.source)]))
    return bundle(f"{view.kind.capitalize()} {view.name}", blocks)


def _ports(heading: str, ports: tuple[Port, ...]) -> Iterable[Block]:
    if ports:
        yield Section(heading, [port_table(heading, ports)])


def _outputs(ports: tuple[Port, ...]) -> Iterable[Block]:
    """The outputs; those that no step reads yet are folded."""
    real = tuple(port for port in ports if not port.unread)
    unread = tuple(port for port in ports if port.unread)
    blocks: list[Block] = [port_table("Outputs", real)] if real else []
    if unread:
        names = ", ".join(port.name for port in unread)
        label = "Outputs if a later step reads them"
        blocks.append(
            Folded(cut(f"{label}: {names}", LONGEST_SUMMARY), [port_table(label, unread)], quiet=True)
        )
    if blocks:
        yield Section("Outputs", blocks)


def port_table(label: str, ports: tuple[Port, ...]) -> Table:
    """Ports as a table, without empty columns."""
    columns = (Column("Name"), Column("Type"), Column("From"), Column("Default"))
    rows: list[list[Value]] = [
        [port.name, port.type, port.origin, TableCell(port.default, code=bool(port.default))]
        for port in ports
    ]
    return Table(label, columns, rows).without_empty_columns()


def _travellers(travellers: tuple[CarriedItem, ...]) -> Iterable[Block]:
    if travellers:
        columns = (Column("Name"), Column("What"), Column("From"), Column("Why"))
        rows = [[one.name, one.kind, one.origin, one.reason] for one in travellers]
        yield Section("Included", [Table("Included", columns, rows).without_empty_columns()])


def _packages(packages: tuple[str, ...]) -> Iterable[Block]:
    if packages:
        yield Section("Packages", [Text(", ".join(packages))])


def _pod(settings: tuple[PodSetting, ...]) -> Iterable[Block]:
    if settings:
        rows: list[list[Value]] = [[one.what, TableCell(one.value, code=True)] for one in settings]
        yield Section("Pod settings", [Table("Pod settings", (Column("What"), Column("Value")), rows)])
