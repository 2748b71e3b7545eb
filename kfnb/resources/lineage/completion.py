"""Completion of references."""

from __future__ import annotations

from collections.abc import Iterator

from kfnb.commands import completion
from kfnb.commands.completion import Around, Values
from kfnb.commands.expected import Expected
from kfnb.resources.lineage import api
from kfnb.resources.models.completion import CLUSTER, cluster_prefix, versions
from kfnb.resources.runs import api as runs
from kfnb.settings import settings

MOST_RUNS = 50


def _references(found: Expected, around: Around) -> Iterator[str]:
    if found.begun.startswith(CLUSTER):
        yield from versions(found.begun)
        return
    for kind in ("ModelVersion", "DatasetVersion", "Run", "Service"):
        yield from around.named(kind)
    yield from completion.answers.together(
        {
            ("references", settings().home): api.names,
            ("runs", settings().backend): lambda: (run.id for run in runs.runs(limit=MOST_RUNS)),
        }
    )
    yield from cluster_prefix()


VALUES: dict[str, Values] = {"reference": _references}
