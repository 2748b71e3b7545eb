"""``draw_model_verification``: what a check of versions found; and how damaged data is marked elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kfnb.resources.models.model import ModelVerification
from kfnb.ui import theme
from kfnb.ui.blocks import Text, bundle
from kfnb.ui.states import StateStyle
from kfnb.ui.table import Column, Table, Value
from kfnb.ui.words import file_size

DAMAGED = StateStyle("⚠", "Damaged", theme.AMBER, "")
"""The mark of a version whose data is damaged."""
_TITLE = "Check of models"


def draw_model_verification(found: ModelVerification) -> dict[str, str]:
    """What a verification found, as a mimebundle."""
    count = "1 version" if found.versions == 1 else f"{found.versions} versions"
    notes = [Text(found.note)] if found.note else []
    if not found.damages:
        whole = f"{count}, {file_size(found.size)}: every byte is as it was registered."
        return bundle(_TITLE, [Text(whole), *notes])
    rows: list[list[Value]] = [
        [one.ref, f"data {one.part}" if one.part else "model folder", one.problem] for one in found.damages
    ]
    damaged = len({one.ref for one in found.damages})
    table = Table("Damaged versions", (Column("Version"), Column("What"), Column("Problem")), rows)
    return bundle(_TITLE, [Text(f"{count}, {file_size(found.size)}: {damaged} damaged."), table, *notes])


def damage_words(refs: Iterable[str], damaged: Mapping[str, str]) -> str:
    """What is wrong with the data ``refs``, in words: ``churn-data@2 was changed``; empty if nothing is known."""
    return ", ".join(
        f"{ref} {_WORDS.get(damaged[ref], f'is damaged ({damaged[ref]})')}"
        for ref in dict.fromkeys(refs)
        if ref in damaged
    )


_WORDS = {"missing": "is not in the data store", "changed": "was changed"}
