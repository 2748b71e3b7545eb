"""What a picture of a graph shows, before it is placed or drawn."""

from __future__ import annotations

from dataclasses import dataclass

from kfnb.ui.states import StateStyle


@dataclass(frozen=True)
class Item:
    """A card, or a group around others. ``count`` above one is drawn as a stack; ``hint`` shows on hover."""

    id: str
    title: str
    caption: str = ""
    parent: str = ""
    group: bool = False
    state_style: StateStyle | None = None
    count: int = 1
    faint: bool = False
    hint: str = ""


@dataclass(frozen=True)
class Link:
    """An arrow; ``label`` shows on hover."""

    source: str
    target: str
    label: str = ""


@dataclass(frozen=True)
class Scene:
    """A graph to draw; ``label`` says in words what it shows."""

    label: str
    items: tuple[Item, ...]
    links: tuple[Link, ...]
