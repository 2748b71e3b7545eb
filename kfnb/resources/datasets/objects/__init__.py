"""Where a data store keeps its objects: a folder, or a bucket. Both have the same keys."""

from kfnb.resources.datasets.objects.base import Objects, StoredObject
from kfnb.resources.datasets.objects.bucket import BucketObjects
from kfnb.resources.datasets.objects.folder import FolderObjects

__all__ = ["BucketObjects", "FolderObjects", "Objects", "StoredObject"]
