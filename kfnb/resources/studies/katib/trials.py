"""The Trials of one Experiment, kept up to date by what happens to them."""

from __future__ import annotations

from collections.abc import Sequence

from kfnb.remote.kubernetes.errors import Expired
from kfnb.remote.kubernetes.fields import Item
from kfnb.resources.studies.katib import resource_parser
from kfnb.resources.studies.katib.resources import Resources
from kfnb.resources.studies.model import Dimension, Trial


class TrialReader:
    """All Trials of ``experiment`` as of the last poll. A Trial is read again only when it has changed."""

    def __init__(self, resources: Resources, experiment: str) -> None:
        self._resources, self._experiment = resources, experiment
        self._version = ""
        self._items: dict[str, Item] = {}
        self._read: dict[str, tuple[Item, Trial]] = {}

    def refresh(self) -> None:
        """Poll once more: everything at first, and when Kubernetes no longer has the changes since."""
        if self._version:
            try:
                self._follow()
            except Expired:
                self._version = ""
        if not self._version:
            found, self._version = self._resources.trials(self._experiment)
            self._items = {_name(item): _slim(item) for item in found}

    def read(self, space: Sequence[Dimension]) -> list[Trial]:
        """The trials in their order."""
        ordered = resource_parser.in_order(self._items.values())
        self._read = {_name(item): self._one(item, number, space) for number, item in enumerate(ordered)}
        return [trial for _, trial in self._read.values()]

    def _follow(self) -> None:
        for word, item in self._resources.changes(self._experiment, self._version):
            self._version = str(item["metadata"].get("resourceVersion") or self._version)
            if word == "DELETED":
                self._items.pop(_name(item), None)
            elif word != "BOOKMARK":
                self._items[_name(item)] = _slim(item)

    def _one(self, item: Item, number: int, space: Sequence[Dimension]) -> tuple[Item, Trial]:
        known = self._read.get(_name(item))
        if known is not None and known[0] is item and known[1].number == number:
            return known
        return item, resource_parser.trial(item, number, space)


def _slim(item: Item) -> Item:
    """A Trial without what it runs, which is the greatest part by far, and much the same in all of them."""
    spec = item.get("spec") or {}
    return {**item, "spec": {name: value for name, value in spec.items() if name != "runSpec"}}


def _name(item: Item) -> str:
    return str(item["metadata"]["name"])
