"""What registrations that were killed have left in the registry of this machine is removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kfnb.resources.models.local.engine import LocalRegistry
from kfnb.resources.models.local.folders import StoredFolder
from kfnb.resources.models.location import registry_folder
from kfnb.ui.words import file_size, file_sizes


@dataclass(frozen=True)
class UnusedModels:
    """Model folders that no version refers to, and ``drafts``, which are not complete."""

    folders: tuple[StoredFolder, ...] = ()
    drafts: tuple[StoredFolder, ...] = ()

    @property
    def title(self) -> str:
        """What they are, in words: their number, the largest ones, and their size."""
        texts = []
        if self.folders:
            texts.append(f"{_count(self.folders, 'model folder')} that no version refers to")
        if self.drafts:
            texts.append(f"{_count(self.drafts, 'draft')} of registrations that were cut off")
        return ", and ".join(texts)


def unused() -> UnusedModels:
    """What no version refers to, if it was written more than an hour ago. Raises ``BackendError``."""
    found = LocalRegistry(registry_folder()).unused()
    return UnusedModels(
        tuple(one for one in found if one.digest), tuple(one for one in found if not one.digest)
    )


def prune(found: UnusedModels) -> int:
    """Remove what ``unused`` found; the bytes that were freed. Raises ``BackendError``."""
    return LocalRegistry(registry_folder()).remove([*found.folders, *found.drafts])


def _count(folders: Sequence[StoredFolder], what: str) -> str:
    sizes = [one.size for one in folders]
    if len(folders) == 1:
        return f"1 {what} ({file_size(sizes[0])})"
    return f"{len(folders)} {what}s ({file_sizes(sizes)})"
