"""``draw_transfer``: what was copied from one registry to another."""

from __future__ import annotations

from collections.abc import Iterator

from kfnb.resources.models.model import Transfer
from kfnb.ui.blocks import Block, Section, Text, Title, bundle
from kfnb.ui.table import Column, Table, Value


def draw_transfer(transfer: Transfer) -> dict[str, str]:
    """A transfer as a mimebundle."""
    count = len(transfer.versions)
    facts = (f"{count} version{'' if count == 1 else 's'} from {transfer.source} to {transfer.target}",)
    title = f"{transfer.model}: {facts[0]}"
    return bundle(title, [Title(transfer.model, None, "", facts), *_versions(transfer), *_notes(transfer)])


def _versions(transfer: Transfer) -> Iterator[Block]:
    if not transfer.versions:
        return
    columns = (
        Column(transfer.source, number=True),
        Column(transfer.target, number=True),
        Column("Aliases that were set"),
    )
    rows: list[list[Value]] = [
        [str(before), str(after), ", ".join(a for a, number in transfer.aliases.items() if number == after)]
        for before, after in transfer.versions.items()
    ]
    table = Table("Versions", columns, rows)
    yield Section("Versions", [table.without_empty_columns()])


def _notes(transfer: Transfer) -> Iterator[Block]:
    for alias, (there, here) in transfer.left.items():
        yield Text(
            f"{transfer.target} has {transfer.model}@{alias} already, on version {there}, and it was not moved;"
            f" %kf_models promote {transfer.target}:{transfer.model}@{here} --alias {alias} moves it."
        )
    for alias, number in transfer.archived.items():
        yield Text(
            f"{transfer.model}@{alias} was not set: {transfer.model}@{number} in {transfer.target} is archived; restore"
            " it first, with archive --undo."
        )
    for number in transfer.skipped:
        yield Text(
            f"{transfer.model}@{number} was left out: another client registered it, and it is not a model folder."
        )
