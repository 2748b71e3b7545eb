"""The commands of components and pipelines: define, show and compile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from kfnb.capture.component import Options
from kfnb.capture.transforms import define_transform
from kfnb.commands.command import Command, flag, option, repeated, word
from kfnb.commands.parser import Parser
from kfnb.commands.session import Session
from kfnb.commands.words import count, parameter, unique
from kfnb.errors import UsageError
from kfnb.pipeline import pipeline as pipelines
from kfnb.resources.components import api
from kfnb.resources.components.pod_options import PodOptions, read_pod
from kfnb.resources.datasets import api as datasets

if TYPE_CHECKING:
    from kfnb.capture.embedded.transforms import kfnb_Transform
    from kfnb.capture.notebook import DeclaredParameter
    from kfnb.entities import ComponentView, Graph
    from kfnb.pipeline.pipeline import Pipeline
    from kfnb.resources.datasets.importing import TakenData


@dataclass(frozen=True, kw_only=True)
class DefineComponent(PodOptions, Command):
    """Run the cell, and make it a component of pipelines."""

    binds = True
    runs_as_cell = True

    name: str = word("the component's name")
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
    no_cache: bool = flag(help="run the step even if its inputs have not changed")
    continues: bool = flag(
        "--continue",
        help="add this cell to the component of that name, or replace what this cell added before",
    )

    def run(self, session: Session) -> None:
        """Begin the component: the cell runs after this, and is captured when it has."""
        params = tuple(parameter(text) for text in self.param)
        unique([param.name for param in params], "--param")
        unique(self.output, "--output")
        found = self._data(session, params)
        chosen = Options(
            params=params,
            data=tuple(one.input for one in found),
            outputs=self.output,
            packages=self.package,
            image=self.image,
            retries=count(self.retries, "--retries"),
            cache=not self.no_cache,
            pod=read_pod(self),
        )
        if self.continues and replace(chosen, params=(), outputs=(), packages=()) != Options():
            raise UsageError(
                f"--continue only takes --param, --output and --package: move the rest to the first cell of {self.name}"
            )
        with _bound(session, {one.input.name: one.value for one in found}):
            session.cells.begin_component(self.name, chosen, session.bind, continues=self.continues)
        for one in found:
            if one.pinned:
                session.notify(f"note: {one.input.name} is {one.version.ref}, the newest version")

    def _data(self, session: Session, params: Sequence[DeclaredParameter]) -> list[TakenData]:
        """The versions of data sets that the cell takes."""
        if not self.data:
            return []
        notebook = session.cells.workspace.notebook
        values = {name: one.default for name, one in notebook.parameters.items()}
        values |= {one.name: one.default for one in params if one.default is not None} | notebook.injected
        found = [datasets.taken(text, values) for text in self.data]
        unique([*(one.input.name for one in found), *(one.name for one in params)], "--data")
        return found


@contextmanager
def _bound(session: Session, values: Mapping[str, Any]) -> Iterator[None]:
    """Give names of the notebook their values, unless what follows raises an exception."""
    space = session.cells.workspace.notebook.namespace
    before = {name: space[name] for name in values if name in space}
    space.update(values)
    try:
        yield
    except BaseException:
        for name in values:
            space.pop(name, None)
        space.update(before)
        raise


@dataclass(frozen=True, kw_only=True)
class DefineParameters(Command):
    """Run the cell; each name that it assigns is a parameter of pipelines."""

    runs_as_cell = True

    def run(self, session: Session) -> None:
        """Begin the cell of parameters."""
        session.cells.begin_parameters()


@dataclass(frozen=True, kw_only=True)
class DefineSetup(Command):
    """Run the cell, and put its code at the top of every later step: imports, options, seeds."""

    runs_as_cell = True

    def run(self, session: Session) -> None:
        """Begin the set-up cell."""
        session.cells.begin_set_up()


@dataclass(frozen=True, kw_only=True)
class DefineTransform(Command):
    """Make a transform of def transform(df, state) and, where it learns, def fit(df), and give it that name."""

    name: str = word("the transform's name")
    package: tuple[str, ...] = repeated(metavar="NAME", help="a package that it needs")

    def run(self, session: Session) -> kfnb_Transform:
        """Define the transform."""
        notebook = session.cells.workspace.notebook
        cell = session.cells.transform_cell(self.name, session.line, session.body)
        for note in define_transform(notebook, cell, self.package).notes:
            session.notify(f"note: {note}")
        made: kfnb_Transform = notebook.namespace[self.name]
        return made


@dataclass(frozen=True, kw_only=True)
class DefinePipeline(Command):
    """Define a pipeline that runs components in order, wired by the names they share."""

    binds = True

    name: str = word("the pipeline's name")
    steps: tuple[str, ...] = word("components", many="*", values="component")

    def run(self, session: Session) -> Pipeline:
        """Define the pipeline."""
        current = session.cells.workspace
        return _defined(session, pipelines.define_chain(current.notebook, self.name, self.steps))


@dataclass(frozen=True, kw_only=True)
class DefinePipelineByDsl(Command):
    """Define a pipeline in KFP's DSL; inputs that calls of components omit are wired by name."""

    binds = True

    name: str = word("the pipeline's name")
    param: tuple[str, ...] = repeated(metavar="NAME:TYPE=DEFAULT", help="a parameter")

    def run(self, session: Session) -> Pipeline:
        """Define the pipeline."""
        params = [parameter(text) for text in self.param]
        unique([param.name for param in params], "--param")
        cells = session.cells
        notebook = cells.workspace.notebook
        made = pipelines.define(notebook, self.name, session.body, number=cells.number, params=params)
        return _defined(session, made)


def _defined(session: Session, pipeline: Pipeline) -> Pipeline:
    """Store a pipeline that can be built, and print its notes."""
    built = api.built(pipeline)
    session.cells.workspace.pipelines[pipeline.name] = pipeline
    for note in built.wired.notes:
        session.notify(f"note: {note}")
    return pipeline


@dataclass(frozen=True, kw_only=True)
class ShowDefinition(Command):
    """Show what travels with a component or a transform and why, or a pipeline's graph."""

    binds = True

    name: str = word("a component, a transform, a pipeline, or a compiled file", values="subject")

    def run(self, session: Session) -> ComponentView | Graph:
        """Show it."""
        return api.show(self.name)


@dataclass(frozen=True, kw_only=True)
class CompilePipeline(Command):
    """Write a pipeline to a file."""

    pipeline: Any = word("the pipeline's name, or a file that defines one", values="pipeline")
    to: str | None = option(metavar="FILE.yaml", values="file", help="KFP's YAML")
    python: str | None = option(
        metavar="FILE.py", values="file", help="a program of KFP's SDK that compiles to the same pipeline"
    )

    def check(self, parser: Parser) -> None:
        """Require at least one of the files."""
        if not self.to and not self.python:
            raise UsageError(f"{parser.prog}: --to FILE.yaml, --python FILE.py, or both are required")

    def run(self, session: Session) -> None:
        """Write the files."""
        for path in filter(None, (self.to, self.python)):
            written = api.compile(self.pipeline, path)
            session.out(str(written))
