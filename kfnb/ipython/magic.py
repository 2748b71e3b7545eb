"""What all magics share: how words are read, how errors are told, how a result is bound to a name."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from IPython.core.error import UsageError as IPythonUsageError

from kfnb import model
from kfnb.commands.parser import Parser
from kfnb.errors import Help, KfnbError, RunNotFound, did_you_mean
from kfnb.resources.runs import api
from kfnb.resources.runs.handle import Run

if TYPE_CHECKING:
    from kfnb.ipython.kernel import Kernel
    from kfnb.resources.studies.handle import Study

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


def reads(parser: Callable[[], Parser], cell: Callable[[], Parser] | None = None) -> Callable[[F], F]:
    """A magic whose words ``parser`` reads (``cell`` those of its cell form): its help, and its errors in one line."""

    def decorate(method: F) -> F:
        @functools.wraps(method)
        def magic(self: Any, line: str, *body: str) -> Any:
            __tracebackhide__ = True
            try:
                # IPython hands a silencing semicolon on to the magic
                return method(self, line.rstrip().removesuffix(";"), *body)
            except Help as text:
                print(text)
                return None
            except (KfnbError, IPythonUsageError, KeyboardInterrupt):
                raise
            except Exception as error:
                raise KfnbError(
                    f"kfnb met an error of its own ({type(error).__name__}: {error});"
                    " %kf_config debug=true shows where"
                ) from error

        shown = [p().format_help() for p in (parser, cell) if p is not None]
        magic.__doc__ = "\n".join(shown)
        return magic  # type: ignore[return-value]

    return decorate


class Magics:
    """Some of kfnb's magics, a method each."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel

    def run_of(self, word: str) -> Any:
        """What a word means where a run is wanted: a name of the notebook's that is bound to one, or an id."""
        value = self.kernel.shell.user_ns.get(word)
        return value if isinstance(value, Run | model.Run) else word

    def handle_of(self, word: str) -> Run:
        """The run that a word means, as ``run_of`` has it. Raises ``RunNotFound``."""
        try:
            return api.handles(self.run_of(word))[0]
        except RunNotFound as missing:
            names = [name for name, value in self.kernel.shell.user_ns.items() if isinstance(value, Run)]
            raise RunNotFound(f"{missing}{did_you_mean(word, names)}") from None

    def study_of(self, word: str | None) -> Any:
        """What a word means where a study is wanted: a name of the notebook's that is bound to one, or a study's."""
        value = self.kernel.shell.user_ns.get(word)
        return value if hasattr(value, "best") and hasattr(value, "snapshot") else word

    def bound(self, name: str | None, value: T) -> T:
        """A magic's result, bound to the name that ``-o`` gives too."""
        if name is not None:
            self.kernel.shell.user_ns[name] = value
        return value

    def wait_for(self, run: Run | Study) -> None:
        """Wait for a run or a study as nobody is there to watch it; a failed one is shown before it fails the cell."""
        from IPython.display import display

        try:
            run.wait()
        except KfnbError:
            display(run)
            raise
