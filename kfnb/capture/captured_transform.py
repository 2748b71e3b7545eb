"""A transform as its cell defined it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kfnb.capture.cell import Cell
from kfnb.capture.definitions import Definition
from kfnb.capture.embedded.transforms import kfnb_Transform


@dataclass(frozen=True)
class CapturedTransform:
    """A transform as its cell defined it, with all that it needs.

    ``code`` is the source of its module, ``files`` are the modules beside the notebook that it imports, by path.
    ``needed`` are the modules that must be installed, with the place that imports each, and ``packages`` their packages.
    ``others`` are the functions, classes and constants of other cells that are in it.
    """

    name: str
    cell: Cell
    code: str
    files: Mapping[str, str]
    needed: Mapping[str, str]
    packages: Mapping[str, str]
    others: tuple[Definition, ...] = ()

    def made(self) -> kfnb_Transform:
        """The object of the transform, not fitted."""
        return kfnb_Transform(self.name, self.code, self.files, self.packages)
