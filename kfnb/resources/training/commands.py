"""The command of trainings."""

from __future__ import annotations

import ast
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from kfnb.artifacts.digests import Digests
from kfnb.capture import capture
from kfnb.capture.cell import Cell
from kfnb.capture.component import Component, Options
from kfnb.capture.files import Files
from kfnb.capture.named_files import files_named
from kfnb.capture.pending import Pending
from kfnb.capture.training import FRAMEWORKS, Training
from kfnb.commands.command import Command, option, word
from kfnb.commands.session import Session
from kfnb.commands.words import count
from kfnb.entities import NAMES, Artifact, kfp_name
from kfnb.errors import BackendError, RunFailed, interrupted
from kfnb.resources.components.component_options import ComponentOptions, read_options, with_data_bound
from kfnb.resources.runs.handle import Run
from kfnb.resources.training import api
from kfnb.resources.training.names import index_of, partings, take_back
from kfnb.resources.training.outcome import outcome_notes
from kfnb.target import BACKENDS


@dataclass(frozen=True, kw_only=True)
class TrainCell(ComponentOptions, Command):
    """Run the cell as a training of several processes, and make it a component of pipelines. The names that rank 0
    writes come back into the notebook. --cpu, --memory and --gpu are for each process.
    """

    binds = True

    name: str = word("the component's name")
    nodes: int = option(type=int, default=1, help="number of nodes (default 1)")
    procs: int = option(type=int, default=1, help="processes on each node (default 1)")
    framework: str = option(
        default="auto",
        values=FRAMEWORKS,
        help="what connects the processes: torch, jax, tensorflow, xgboost, lightgbm or none (default: what the cell"
        " imports)",
    )
    max_restarts: int = option(
        type=int, default=0, help="how often all processes are started again after a failure"
    )
    runtime: str = option(default="", metavar="NAME", help="on a cluster: the training runtime")
    queue: str = option(default="", metavar="NAME", help="on a cluster: the local queue of Kueue")
    backend: str | None = option(values=BACKENDS, help="where to train: local or kubeflow")

    def run(self, session: Session) -> Run:
        """Train, and take the names back."""
        options, taken = read_options(self, session)
        training = Training(
            self.nodes,
            self.procs,
            self.framework,
            count(self.max_restarts, "--max-restarts"),
            self.runtime,
            self.queue,
        )
        api.check_size(training)
        cell = session.cells.training_cell(self.name, session.line, session.body)
        with with_data_bound(session, taken):
            return self._trained(session, cell, replace(options, training=training))

    def _trained(self, session: Session, cell: Cell, options: Options) -> Run:
        notebook = session.cells.workspace.notebook
        notebook.failed.add(self.name)  # until it is trained
        pending = capture.begin(notebook, cell, options)
        try:
            run = api.start(
                pending.component,
                requested=(NAMES,),
                backend=self.backend,
                notify=session.notify,
            )
            session.started(run)
            _follow(session, run, self.name)
            _finish(session, pending, run)
        finally:
            pending.end()
        return run


def _follow(session: Session, run: Run, name: str) -> None:
    """Print what the processes write until they have ended; an interrupt ends them. Raises ``RunFailed``."""
    session.notify(f"run {run.id}")
    shown = 0
    try:
        for line in run.excerpt(follow=True):
            session.out(line.text, at_once=True)
            shown += 1
        run.wait()
    except KeyboardInterrupt:
        session.notify(f"stopping training {name}: its processes have 10 seconds to end")
        run.stop()
        for line in islice(run.excerpt(follow=True), shown, None):
            session.out(line.text, at_once=True)
        with suppress(RunFailed):
            run.wait()
        raise interrupted(f"training {name} was stopped (interrupted)") from None


def _finish(session: Session, pending: Pending, run: Run) -> None:
    """Take the names back from rank 0, and capture the component as if its cell had run here."""
    notebook = session.cells.workspace.notebook
    component = pending.component
    kept = run.outputs[kfp_name(component.name)].get(NAMES)
    if kept is None:
        why = "; ".join(run.snapshot().notes)
        raise BackendError(
            f"run {run.id} has succeeded, but no name has come back from it: {why}", ref=run.id
        )
    with TemporaryDirectory(prefix="kfnb-names-") as copied:
        folder = Path(kept.uri) if kept.store is None else _copied(kept, Path(copied) / NAMES)
        notes = [*partings(index_of(folder), component, notebook)]
        stayed = dict(take_back(folder, component, notebook.namespace))
    notes += [f"{name} stays in the training: {why}" for name, why in stayed.items()]
    found = capture.finish(notebook, pending)
    found = replace(found, files=_files(session, pending, found), refusals={**found.refusals, **stayed})
    notebook.components[found.name] = found
    for note in (*notes, *found.notes, *outcome_notes(run, found)):
        session.notify(f"note: {note}")


def _copied(kept: Artifact, folder: Path) -> Path:
    """The names of a training on a cluster, in a folder. Raises ``BackendError`` if they are not those of its rank 0.

    They may be pickles, and others may write to the store.
    """
    kept.download(folder)
    if Digests().content(folder) != kept.digest:
        message = f"the names of the training were changed in the object store: {kept.uri} is not what rank 0 wrote;"
        raise BackendError(message, hint="no name has come back; train again", ref=kept.uri)
    return folder


def _files(session: Session, pending: Pending, component: Component) -> Files:
    """The files of a cell that did not run here, as far as its text names them."""
    notebook = session.cells.workspace.notebook
    nodes = [one.node for one in pending.dependencies.sources if one.node is not None]
    constants = [ast.parse(text) for text in pending.dependencies.constants.values()]
    named = files_named(notebook.folder, [component.cell.tree, *nodes, *constants])
    return notebook.files_of_setups(component.cell.order).before(named)
