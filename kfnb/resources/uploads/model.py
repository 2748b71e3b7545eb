"""Pipelines that were uploaded to a cluster."""

from __future__ import annotations

from dataclasses import dataclass

from kfnb.entities import Listing


@dataclass(frozen=True)
class UploadedPipeline:
    """A version of a pipeline on a cluster; ``version`` is its name, ``url`` a page that shows it."""

    id: str
    name: str
    version: str = ""
    version_id: str = ""
    description: str = ""
    created: float | None = None
    url: str = ""


class UploadList(Listing[UploadedPipeline]):
    """Uploaded pipelines, one version each, at the time of the request."""
