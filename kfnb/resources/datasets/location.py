"""Which data store is meant: that of the setting ``data_store``, a folder or an address of an object store."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from kfnb.errors import UsageError
from kfnb.resources.datasets.addresses import object_store
from kfnb.resources.datasets.digests import ContentDigests, FileDigests
from kfnb.resources.datasets.objects import BucketObjects, FolderObjects, Objects
from kfnb.resources.datasets.root import store_root
from kfnb.resources.datasets.store import DataStore
from kfnb.settings import settings

_stores: dict[tuple[str, str, bool], DataStore] = {}


def data_store() -> DataStore:
    """The data store of the settings. Raises ``UsageError`` for an address that is not valid."""
    return store_at(store_root())


def store_at(root: str) -> DataStore:
    """The data store in a folder, or at an address. Raises ``UsageError`` for an address that is not valid."""
    chosen = settings()
    known = (root, chosen.ca_file, chosen.verify)
    if known not in _stores:
        _stores[known] = DataStore(_objects(root))
    return _stores[known]


def file_digests() -> FileDigests:
    """The digests of files that this home knows."""
    return _file_digests(home() / "data-digests.db")


def content_digests() -> ContentDigests:
    """The digests of the content of data stores that this home knows."""
    return _content_digests(home() / "data-digests.db")


_file_digests = lru_cache(maxsize=1)(FileDigests)
_content_digests = lru_cache(maxsize=1)(ContentDigests)


def home() -> Path:
    """The folder for drafts, and for files of versions that are used."""
    return Path(settings().home).expanduser().absolute()


def _objects(root: str) -> Objects:
    if "://" not in root:
        return FolderObjects(Path(root))
    try:
        _, _, store = object_store(root)
    except UsageError as error:
        raise UsageError(f"data_store={error}", code="invalid-setting", ref="data_store") from None
    return BucketObjects(root.partition("?")[0], store)
