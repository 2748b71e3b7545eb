"""Where a data store keeps its objects: a folder, or a bucket. Both have the same keys."""

from kfnb.resources.datasets.objects.base import (
    CONTENT,
    GRACE,
    PUBLISHED,
    Objects,
    StoredObject,
    content_digest,
    content_key,
)
from kfnb.resources.datasets.objects.bucket import BucketObjects
from kfnb.resources.datasets.objects.folder import FolderObjects

__all__ = [
    "CONTENT",
    "GRACE",
    "PUBLISHED",
    "BucketObjects",
    "FolderObjects",
    "Objects",
    "StoredObject",
    "content_digest",
    "content_key",
]
