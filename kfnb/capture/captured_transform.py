"""A transform as its cell defined it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kfnb.capture.cell import Cell
from kfnb.capture.embedded.transforms import kfnb_Transform

if TYPE_CHECKING:
    from kfnb.capture.dependencies import Dependencies


@dataclass(frozen=True)
class CapturedTransform:
    """A transform as its cell defined it, with all that it needs.

    ``code`` is the source of its module, in which its ``dependencies`` are, and ``packages`` those that it needs, by
    the module that is imported. ``notes`` are for the user.
    """

    name: str
    cell: Cell
    code: str
    dependencies: Dependencies
    packages: Mapping[str, str]
    notes: tuple[str, ...] = ()

    def made(self) -> kfnb_Transform:
        """The object of the transform, not fitted."""
        return kfnb_Transform(self.name, self.code, self.dependencies.files, self.packages)
