"""The extension as it is loaded: instant, and the rest of kfnb comes with the first magic that is used.

Until then the cells that run are only kept; the kernel's notebook gets them when it is made.
"""

from __future__ import annotations

import re
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

from kfnb import compat, registry
from kfnb.capture.cell_magics import APART, CARRIED_MAGICS, begun
from kfnb.capture.kf import Kf
from kfnb.ipython.running_cell import Running

if TYPE_CHECKING:
    from IPython.core.completer import CompletionContext
    from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult, InteractiveShell

    from kfnb.ipython.kernel import Kernel


class Extension:
    """kfnb in one shell."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell
        self.kf = Kf()
        self.running: list[Running] = []
        self.waiting = [
            Running(raw, number, None)
            for number, raw in enumerate(shell.user_ns.get("In", [])[1:-1], start=1)
        ]

    @cached_property
    def kernel(self) -> Kernel:
        """The kernel that the notebook runs in, with all cells that have run."""
        from kfnb.ipython.kernel import Kernel
        from kfnb.pipeline.workspace import use

        kernel = Kernel(self.shell, self.running)
        use(kernel.workspace)
        for cell in self.waiting:
            kernel.record(cell)
        self.waiting.clear()
        return kernel

    @cached_property
    def matcher(self) -> Matcher:
        """What completes the words of magics and the keys of runs."""
        return Matcher(self)

    # -- cells ------------------------------------------------------------------------------------------------

    def before_cell(self, info: ExecutionInfo) -> None:
        """A cell is about to run."""
        self.kf.begin_cell()
        number = compat.cell_number(self.shell)
        self.running.append(Running(info.raw_cell or "", number, getattr(info, "cell_id", None)))
        if "kernel" in vars(self):
            self.kernel.before_cell(self.running[-1])

    def after_cell(self, result: ExecutionResult) -> None:
        """A cell has run."""
        if not self.running:
            return  # the cell that loaded the extension
        cell = self.running.pop()
        if "kernel" in vars(self):
            self.kernel.after_cell(cell, success=result.success)
        else:
            self.waiting.append(cell)

    # -- the shell --------------------------------------------------------------------------------------------

    def connect(self) -> None:
        """Give the shell the magics, their completion and the displays, and listen to its cells."""
        self.shell.events.register("pre_run_cell", self.before_cell)
        self.shell.events.register("post_run_cell", self.after_cell)
        self.shell.input_transformers_cleanup.insert(0, run_as_a_cell)
        for name, forms in registry.magics().items():
            self.shell.magics_manager.register_function(
                Magic(self, name, code="cell" in forms), "line_cell" if "cell" in forms else "line", name
            )
        self.shell.Completer.custom_matchers.append(self.matcher)
        formatter: Any = self.shell.display_formatter
        for noun in registry.NOUNS:
            for name in noun.displays:
                module, _, kind = name.rpartition(".")
                if name in noun.live:
                    formatter.ipython_display_formatter.for_type_by_name(module, kind, self._show)
                    continue
                drawn = self._table if name in noun.tables else _bundle
                formatter.mimebundle_formatter.for_type_by_name(module, kind, drawn)

    def disconnect(self) -> None:
        """Take from the shell what ``connect`` gave it."""
        self.shell.events.unregister("pre_run_cell", self.before_cell)
        self.shell.events.unregister("post_run_cell", self.after_cell)
        self.shell.input_transformers_cleanup.remove(run_as_a_cell)
        for name in registry.magics():
            self.shell.magics_manager.magics["line"].pop(name, None)
            self.shell.magics_manager.magics["cell"].pop(name, None)
        self.shell.Completer.custom_matchers.remove(self.matcher)

    def _show(self, run: Any) -> None:
        from kfnb.ipython.display import show

        show(run, self.kernel)

    def _table(self, rows: Any, include: Any = None, exclude: Any = None) -> dict[str, str]:
        del include, exclude  # IPython filters the bundle itself
        from kfnb.ipython.display import table

        return table(rows, self.kernel.board)


class Magic:
    """A magic that a shell can be given before the code behind it is loaded."""

    def __init__(self, extension: Extension, name: str, *, code: bool) -> None:
        self._extension = extension
        self._code = code  # its braces and dollars are not fields
        self.__name__ = name
        compat.mark_as_code(self)  # IPython's own way would take JSON for a field

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]  # the help, when it is asked for
        from kfnb.ipython.magics import help_of

        return help_of(self.__name__)

    def __call__(self, line: str, *body: str) -> Any:
        """Run the magic; ``{name}`` and ``$name`` in its line are filled in, as IPython does it."""
        from kfnb.ipython.magics import call

        if not self._code:
            # the frame of the cell is that of who called the shell, which called this
            line = self._extension.shell.var_expand(_OF_JSON.sub(_doubled, line), depth=2)
        return call(self._extension.kernel, self.__name__, line, body[0] if body else None)


class Matcher:
    """A matcher of IPython's (its API 2), whose code is loaded when it has something to complete."""

    matcher_api_version = 2
    matcher_identifier = "kfnb"
    matcher_priority = 1000

    def __init__(self, extension: Extension) -> None:
        self._extension = extension
        self.__qualname__ = "kfnb"  # IPython asks for it, as if this were a function

    def __call__(self, context: CompletionContext) -> Any:
        """The words that fit, and no other completer's where kfnb knows which do."""
        text = context.full_text
        if not _COMPLETED.search(text) and "kernel" not in vars(self._extension):
            return {"completions": [], "suppress": False}
        from kfnb.ipython.completion import matches

        return matches(context, self._extension.kernel)


_COMPLETED = re.compile(r"%kf_|\[")
"""What a text has in which kfnb may complete something."""

_OF_JSON = re.compile(r"""\{(?=\s*["'}])(?:[^{}]|\{[^{}]*\})*\}""")
"""A dict in a magic's line: its braces do not belong to a field."""


def _doubled(found: re.Match[str]) -> str:
    return found[0].replace("{", "{{").replace("}", "}}")


def run_as_a_cell(lines: list[str]) -> list[str]:
    """An input transformer: a cell that begins with ``%%kf_component`` runs as any cell, after a line magic.

    So its code keeps its line numbers, its display, its ``await`` and its tracebacks.
    """
    how = begun(lines)
    if how is None:
        return lines
    if how.word in APART:
        return lines if how.first else [*lines[: how.first], *_in_one_line(lines[how.first :])]
    head = [lines[how.first][1:], *lines[how.first + 1 : how.after]]
    body = [line if line.endswith("\n") else f"{line}\n" for line in how.body(lines)]
    if not how.other:
        return [*body[: how.first], *head, *body[how.after :]]
    magic, _, line = how.other.partition(" ")
    if magic not in CARRIED_MAGICS:
        return head  # which refuses it, in words
    text = "".join(lines[how.start :])
    return [*head, f"get_ipython().run_cell_magic({magic[2:]!r}, {line.strip()!r}, {text!r})\n"]


def _in_one_line(lines: list[str]) -> list[str]:
    """A cell whose ``%%`` line continues on the next ones, after a backslash, joined: IPython reads only the first."""
    head, *rest = lines
    while rest and head.rstrip("\n").endswith("\\"):
        head = head.rstrip("\n").removesuffix("\\") + rest.pop(0)
    return [head, *rest]


# a terminal that asks whether the cell is complete sees it as it was typed: a cell magic ends with an empty line
run_as_a_cell.has_side_effects = True  # type: ignore[attr-defined]


def _bundle(thing: Any, include: Any = None, exclude: Any = None) -> dict[str, str]:
    del include, exclude  # IPython filters the bundle itself
    bundle: dict[str, str] = import_module("kfnb.commands.display").bundle(thing)
    return bundle
