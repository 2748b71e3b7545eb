"""The commands of components and pipelines: define, show and compile."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from kfnb.capture.component import Options
from kfnb.capture.transforms import define_transform
from kfnb.commands.command import Command, flag, option, repeated, word
from kfnb.commands.parser import Parser
from kfnb.commands.session import Session
from kfnb.commands.words import parameter, unique
from kfnb.errors import UsageError
from kfnb.pipeline import pipeline as pipelines
from kfnb.resources.components import api
from kfnb.resources.components.component_options import ComponentOptions, read_options, with_data_bound

if TYPE_CHECKING:
    from kfnb.capture.embedded.transforms import kfnb_Transform
    from kfnb.entities import ComponentView, Graph
    from kfnb.pipeline.pipeline import Pipeline


@dataclass(frozen=True, kw_only=True)
class DefineComponent(ComponentOptions, Command):
    """Run the cell, and make it a component of pipelines."""

    binds = True
    runs_as_cell = True

    name: str = word("the component's name")
    continues: bool = flag(
        "--continue",
        help="add this cell to the component of that name, or replace what this cell added before",
    )

    def run(self, session: Session) -> None:
        """Begin the component: the cell runs after this, and is captured when it has."""
        chosen, taken = read_options(self, session)
        if self.continues and replace(chosen, params=(), outputs=(), packages=()) != Options():
            raise UsageError(
                f"--continue only takes --param, --output and --package: move the rest to the first cell of {self.name}"
            )
        with with_data_bound(session, taken):
            session.cells.begin_component(self.name, chosen, session.bind, continues=self.continues)


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
