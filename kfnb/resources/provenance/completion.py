"""Completion of what has a manifest."""

from __future__ import annotations

from collections.abc import Iterator

from kfnb.commands import completion
from kfnb.commands.completion import Around, Values
from kfnb.commands.expected import Expected
from kfnb.resources.lineage import api as lineage
from kfnb.resources.models.completion import CLUSTER, cluster_prefix, versions
from kfnb.resources.runs import api as runs
from kfnb.settings import settings

_MOST_RUNS = 50


def _subjects(found: Expected, around: Around) -> Iterator[str]:
    if found.begun.startswith(CLUSTER):
        yield from versions(found.begun)
        return
    yield "here"
    for kind in ("ModelVersion", "Run", "Service", "Study", "Manifest"):
        yield from around.named(kind)
    yield from completion.answers.together(
        {
            ("references", settings().home): lineage.names,
            ("runs", settings().backend): lambda: (run.id for run in runs.runs(limit=_MOST_RUNS)),
        }
    )
    yield from cluster_prefix()


VALUES: dict[str, Values] = {"subject": _subjects}
