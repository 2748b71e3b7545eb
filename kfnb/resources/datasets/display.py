"""How data sets are shown."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from kfnb.commands.display import Display
from kfnb.resources.datasets.handle import DatasetList, DatasetVersion
from kfnb.resources.datasets.model import DatasetDiff, DatasetSnapshot, Verification
from kfnb.resources.datasets.view import draw_diff, draw_verification, draw_version, draw_versions


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


def _whole(one: DatasetSnapshot) -> dict[str, Any]:
    """All of a record. What ``digest`` means is the same in a list: the identity; that of the files is ``manifest``."""
    found = asdict(one)
    del found["logical"]
    return {**found, "digest": one.identity, "manifest": one.digest}


def _changes(diff: DatasetDiff) -> dict[str, Any]:
    found = asdict(diff)
    return {**found, "before": _summary(diff.before), "after": _summary(diff.after), "same": diff.same}


DISPLAYS = {
    DatasetVersion: Display(lambda one: draw_version(one.snapshot()), lambda one: _whole(one.snapshot())),
    DatasetList: Display(
        lambda listed: draw_versions([one.snapshot() for one in listed], listed.damaged),
        lambda listed: [_summary(one.snapshot()) for one in listed],
    ),
    DatasetDiff: Display(draw_diff, _changes),
    Verification: Display(draw_verification, asdict),
}
