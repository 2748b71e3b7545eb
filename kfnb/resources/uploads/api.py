"""The public functions of uploaded pipelines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kfnb.aliases import accepts
from kfnb.pipeline.spec import Compiled
from kfnb.resources.components.api import folder, spec_of
from kfnb.resources.datasets.api import with_data
from kfnb.resources.runs.api import cluster_engine
from kfnb.resources.uploads import model
from kfnb.resources.uploads.engine import UploadEngine


@accepts(tell="notify")
def upload(
    pipeline: Any,
    name: str | None = None,
    version: str | None = None,
    description: str = "",
    *,
    notify: Callable[[str], None] = print,
) -> model.UploadedPipeline:
    """Upload a pipeline to the cluster as ``name`` (default: its own name); as a new version if the name exists.

    ``pipeline`` and ``notify`` are as in ``submit``. The default name of a version is the time; of a first version, the
    pipeline's name.
    """
    engine = _engine("an upload")
    compiled = spec_of(pipeline)
    return engine.upload(
        with_data(compiled.spec, None, local=False),
        compiled.platform,
        name=name or compiled.name,
        version=version or "",
        description=description,
        folder=folder(),
        notify=notify,
    )


def uploads(name: str = "") -> model.UploadList:
    """The uploaded pipelines, each with its newest version; or all versions of the one called ``name``."""
    return _engine("an upload").list(name)


def uploaded(name: str, version: str = "") -> model.UploadedPipeline:
    """A version of an uploaded pipeline, the newest by default."""
    return _engine("an upload").find(name, version)


def compiled_upload(stored: model.UploadedPipeline) -> Compiled:
    """An uploaded pipeline as it was compiled. Raises ``BackendError``."""
    return Compiled(*_engine("an uploaded pipeline").spec(stored))


def _engine(what: str) -> UploadEngine:
    """The engine of the cluster that the settings name. Raises ``UsageError`` if they name none."""
    runs = cluster_engine(what)
    return UploadEngine(runs.submitter.server, runs.home, runs.submitter.terms.uploads)
