"""How data sets are shown."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from kfnb.commands.display import Display
from kfnb.resources.datasets.handle import DatasetList, DatasetVersion
from kfnb.resources.datasets.model import DatasetSnapshot, Verification
from kfnb.resources.datasets.view import draw_verification, draw_version, draw_versions


def _summary(one: DatasetSnapshot) -> dict[str, Any]:
    return {
        "name": one.name,
        "version": one.version,
        "digest": one.identity,
        "kind": one.kind,
        "rows": one.rows,
        "size": one.size,
        "created": one.created,
        "owner": one.owner,
        "description": one.description,
    }


DISPLAYS = {
    DatasetVersion: Display(lambda one: draw_version(one.snapshot()), lambda one: asdict(one.snapshot())),
    DatasetList: Display(
        lambda listed: draw_versions([one.snapshot() for one in listed]),
        lambda listed: [_summary(one.snapshot()) for one in listed],
    ),
    Verification: Display(draw_verification, asdict),
}
