"""A command in a notebook: the session of a magic."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from kfnb.commands.display import bundle
from kfnb.commands.session import Cells, FollowOptions, Prompt
from kfnb.commands.words import NOTEBOOK_TAIL
from kfnb.errors import KfnbError

if TYPE_CHECKING:
    from kfnb.ipython.kernel import Kernel


class NotebookSession:
    """A magic's line, and the cell ``body`` below it; its result is bound to ``bind``."""

    tail: int | None = NOTEBOOK_TAIL

    def __init__(
        self, kernel: Kernel, prog: str, line: str = "", body: str = "", bind: str | None = None
    ) -> None:
        self.prog, self.line, self.body, self.bind = prog, line, body, bind
        self.names: Mapping[str, Any] = kernel.shell.user_ns
        self._kernel = kernel

    @property
    def cells(self) -> Cells:
        """The notebook's cells."""
        return self._kernel

    @property
    def prompt(self) -> Prompt | None:
        """A person is asked below the cell."""
        return input if self._kernel.attended else None

    def notify(self, text: str) -> None:
        """Print it below the cell."""
        print(text)

    def out(self, text: str, *, at_once: bool = False) -> None:
        """Print it below the cell, which ipykernel does soon enough."""
        del at_once
        print(text)

    def announce(self, text: str) -> None:
        """Show it where the result is going to be shown."""
        self._kernel.announce(text)

    def started(self, handle: Any) -> None:
        """Bind it to its name."""
        if self.bind is not None:
            self._kernel.shell.user_ns[self.bind] = handle

    def follow(self, following: FollowOptions) -> Any:
        """Wait where no person watches; what fails is shown before it fails the cell. Elsewhere the page follows."""
        from IPython.display import display

        if self._kernel.attended:
            return following.handle
        try:
            following.handle.wait()
        except KfnbError:
            display(following.handle)
            raise
        return following.handle

    def repeat(self, once: Callable[[], Any], again: Callable[[], Iterator[Any]]) -> Any:
        """Draw updates in place until the cell is interrupted."""
        from IPython.display import display

        if not self._kernel.attended:
            return once()
        place = None
        with suppress(KeyboardInterrupt):
            for one in again():
                self.started(one)
                drawn = bundle(one)
                if place is None:
                    place = display(drawn, raw=True, display_id=True)
                else:
                    place.update(drawn, raw=True)
        return None

    def fail(self) -> None:
        """A cell does not fail by what it has found."""
