"""What a command knows of where it runs: a notebook's cell, or a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from kfnb.capture.cell import Cell
    from kfnb.capture.component import Options
    from kfnb.pipeline.workspace import Workspace

Notify = Callable[[str], None]
Prompt = Callable[[str], str]


@dataclass(frozen=True)
class FollowOptions:
    """How something that has been started is followed to its end in a terminal.

    ``handle`` has ``wait()``. ``updates`` gives what it is each time that something may be new, ``line`` says in a line
    its progress, ``notes`` what else is printed, once; ``interrupted`` is printed when waiting is interrupted.
    ``succeeded`` judges the last update; ``after`` is called after it.
    """

    handle: Any
    begun: str
    updates: Callable[[], Iterator[Any]]
    line: Callable[[Any], str]
    succeeded: Callable[[Any], bool]
    interrupted: str
    notes: Callable[[Any], tuple[str, ...]] = lambda _: ()
    after: Callable[[], None] = lambda: None


class Cells(Protocol):
    """The cells of a notebook, for commands that make something of the one that runs."""

    workspace: Workspace

    @property
    def number(self) -> int:
        """The number of the running cell, as the notebook shows it."""

    def begin_component(
        self, name: str, options: Options, bind: str | None = None, *, continues: bool = False
    ) -> None:
        """The running cell is to become a component, or a further part of one. Raises ``CaptureError``."""

    def begin_parameters(self) -> None:
        """The running cell holds the pipelines' parameters."""

    def begin_set_up(self) -> None:
        """Put the running cell's code at the top of every later step."""

    def trial_cell(self, name: str, line: str, body: str) -> Cell:
        """The running cell as the trial of a study."""

    def transform_cell(self, name: str, line: str, body: str) -> Cell:
        """The running cell as a transform."""

    def training_cell(self, name: str, line: str, body: str) -> Cell:
        """The running cell as a training."""


class Session(Protocol):
    """Where a command runs."""

    prog: str
    """The command as it is called here: ``%kf_runs``, or ``kfnb runs``."""
    tail: int | None
    """How many of the last lines of a log are shown where no number is given; None for all."""
    names: Mapping[str, Any]
    """The notebook's names; none in a terminal."""
    line: str
    """The magic's line as it was typed."""
    body: str
    """The cell below a ``%%`` line; empty elsewhere."""
    bind: str | None
    """The name that the result is bound to."""

    @property
    def cells(self) -> Cells:
        """The notebook's cells; a terminal has none."""

    @property
    def prompt(self) -> Prompt | None:
        """A function that asks a person a question and returns the answer; None where no person can answer."""

    def notify(self, text: str) -> None:
        """Print a message that is not the result: a note, or what has been done."""

    def out(self, text: str, *, at_once: bool = False) -> None:
        """Print a line of the result; ``at_once`` for a reader that waits for each line."""

    def announce(self, text: str) -> None:
        """Show at once what is being done, until there is something to show."""

    def started(self, handle: Any) -> None:
        """Something has been started: bind it to its name before waiting for it."""

    def follow(self, following: FollowOptions) -> Any:
        """Wait for it where no user watches, or in a terminal, which shows its progress; what is shown afterwards."""

    def repeat(self, once: Callable[[], Any], again: Callable[[], Iterator[Any]]) -> Any:
        """Show updates in place until interrupted; where no user watches, only one."""

    def fail(self) -> None:
        """The command did its work, and what it found is bad: the exit code of a terminal is 1."""
