"""Everything that a component needs from the notebook."""

from __future__ import annotations

from dataclasses import dataclass, field

from kfnb.capture.captured_transform import CapturedTransform
from kfnb.capture.cell import Cell
from kfnb.capture.definitions import Definition
from kfnb.capture.imports import Import
from kfnb.capture.notebook import DeclaredParameter


@dataclass(frozen=True)
class SetupCell:
    """A set-up cell, and the names that it is the first to need: they must be defined before it."""

    cell: Cell
    needs: frozenset[str]


@dataclass
class Dependencies:
    """Everything that a component needs from the notebook, once each, in the order in which it must be defined.

    ``files`` are modules beside the notebook, ``needed`` modules that must be installed, with the place that imports
    each; ``reasons`` says what needs each name, ``origins`` which cell defined it. ``again`` are names that an earlier
    run of the cell itself has written after the cell that defines them, with the place that reads them. ``transforms``
    are those that no component has fitted before. ``setups`` are the set-up cells that come first, ``given`` the names
    that those define.
    """

    inputs: dict[str, Definition] = field(default_factory=dict)
    params: dict[str, DeclaredParameter] = field(default_factory=dict)
    imports: dict[str, Import] = field(default_factory=dict)
    sources: list[Definition] = field(default_factory=list)
    constants: dict[str, str] = field(default_factory=dict)
    origins: dict[str, Cell] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    needed: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    kf: set[str] = field(default_factory=set)
    provided: set[str] = field(default_factory=set)
    again: dict[str, str] = field(default_factory=dict)
    transforms: dict[str, CapturedTransform] = field(default_factory=dict)
    setups: list[SetupCell] = field(default_factory=list)
    given: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
