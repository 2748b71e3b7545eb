"""Completion of data sets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from kfnb.commands import completion
from kfnb.commands.completion import Around, Values
from kfnb.commands.expected import Expected
from kfnb.resources.datasets import api
from kfnb.resources.datasets.location import data_store
from kfnb.resources.datasets.root import store_root
from kfnb.resources.datasets.values import library_of


def _names(_found: Expected, _around: Around) -> Iterable[str]:
    return completion.answers(("data sets", store_root()), lambda: data_store().names())


def _versions(found: Expected, around: Around) -> Iterable[str]:
    name, at, _ = found.begun.partition("@")
    yield from around.named("DatasetVersion")
    if at:
        yield from completion.answers(
            ("versions", store_root(), name), lambda: (one.ref for one in api.datasets(name))
        )
    else:
        yield from _names(found, around)


def _inputs(found: Expected, around: Around) -> Iterable[str]:
    """The versions that a component may take, after the name that it has them under: ``churn=churn-data@2``."""
    name, equals, ref = found.begun.partition("=")
    if equals:
        yield from (f"{name}={one}" for one in _versions(replace(found, begun=ref), around))


def _values(found: Expected, around: Around) -> Iterable[str]:
    """What can be added: frames and arrays of the notebook, newest first, then files."""
    own = [name for name in around.names if not name.startswith("_")]
    yield from (name for name in reversed(own) if library_of(around.names[name]))
    yield from completion.files(found.begun)


VALUES: dict[str, Values] = {
    "data set": _names,
    "data version": _versions,
    "data input": _inputs,
    "data": _values,
}
