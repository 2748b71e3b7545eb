"""The options of a cell that becomes a component, however it is executed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kfnb.capture.component import Options
from kfnb.commands.command import flag, option, repeated
from kfnb.commands.session import Session
from kfnb.commands.words import checked_seed, count, parameter, unique
from kfnb.resources.components.pod_options import PodOptions, read_pod
from kfnb.resources.datasets import api as datasets

if TYPE_CHECKING:
    from kfnb.capture.notebook import DeclaredParameter
    from kfnb.resources.datasets.pipeline_data import TakenData


@dataclass(frozen=True, kw_only=True)
class ComponentOptions(PodOptions):
    """The options of a component's cell."""

    param: tuple[str, ...] = repeated(metavar="NAME:TYPE=DEFAULT", help="a parameter")
    data: tuple[str, ...] = repeated(
        metavar="NAME=DATA-SET@VERSION",
        values="data input",
        help="a version of a data set, which the cell has under that name",
    )
    output: tuple[str, ...] = repeated(metavar="NAME", help="a name that is always an output")
    package: tuple[str, ...] = repeated(metavar="NAME==VERSION", help="a package to install")
    image: str = option(default="", help="container image of the step")
    retries: int = option(type=int, default=0, help="maximum number of retries of a failed step")
    seed: int | None = option(type=int, help="seed of the step's random numbers (default: the setting seed)")
    no_cache: bool = flag(help="run the step even if its inputs have not changed")


def read_options(found: ComponentOptions, session: Session) -> tuple[Options, list[TakenData]]:
    """The options of a component, and the versions of data sets that it takes. Raises ``UsageError``."""
    params = tuple(parameter(text) for text in found.param)
    unique([param.name for param in params], "--param")
    unique(found.output, "--output")
    taken = _data(found.data, session, params)
    options = Options(
        params=params,
        data=tuple(one.input for one in taken),
        outputs=found.output,
        packages=found.package,
        image=found.image,
        retries=count(found.retries, "--retries"),
        cache=not found.no_cache,
        seed=None if found.seed is None else checked_seed(found.seed),
        pod=read_pod(found),
    )
    return options, taken


@contextmanager
def with_data_bound(session: Session, taken: Sequence[TakenData]) -> Iterator[None]:
    """Give the names of data sets their values in the notebook, unless what follows raises an exception."""
    space = session.cells.workspace.notebook.namespace
    values: Mapping[str, Any] = {one.input.name: one.value for one in taken}
    before = {name: space[name] for name in values if name in space}
    space.update(values)
    try:
        yield
    except BaseException:
        for name in values:
            space.pop(name, None)
        space.update(before)
        raise
    for one in taken:
        if one.pinned:
            session.notify(f"note: {one.input.name} is {one.version.ref}, the newest version")


def _data(texts: Sequence[str], session: Session, params: Sequence[DeclaredParameter]) -> list[TakenData]:
    if not texts:
        return []
    notebook = session.cells.workspace.notebook
    values = {name: one.default for name, one in notebook.parameters.items()}
    values |= {one.name: one.default for one in params if one.default is not None} | notebook.injected
    found = [datasets.taken(text, values) for text in texts]
    unique([*(one.input.name for one in found), *(one.name for one in params)], "--data")
    return found
