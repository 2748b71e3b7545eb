"""The uses of other libraries beyond their public API: private names, undocumented modules, replaced methods.

Each function is named after its result, and `tests/test_compat.py` has a test of each that fails when the library
changes. No other file of kfnb uses private names of libraries, which the same tests check; the code embedded in steps
(`capture/embedded/`) cannot use this module. Libraries are imported inside the functions.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse

# -- Python's own library -------------------------------------------------------------------------------------

Environ: Any = os._Environ  # noqa: SLF001
"""The class of ``os.environ``."""


def forget_running_loop() -> None:
    """Let this process, forked from a process with a running event loop, run its own loop."""
    import asyncio

    asyncio._set_running_loop(None)  # noqa: SLF001


def run_exit_functions() -> None:
    """Do what Python does before it exits: wait for threads, then run the ``atexit`` handlers."""
    import atexit
    import threading

    threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001
    atexit._run_exitfuncs()  # noqa: SLF001


def actions_of(parser: argparse.ArgumentParser) -> Sequence[argparse.Action]:
    """The arguments of a parser, in the order in which they were added."""
    return parser._actions  # noqa: SLF001


def is_repeatable(action: argparse.Action) -> bool:
    """Whether an argument may be given more than once."""
    import argparse

    return isinstance(action, argparse._AppendAction)  # noqa: SLF001


# -- IPython and its kernel -----------------------------------------------------------------------------------


def mark_as_code(magic: Any) -> None:
    """Keep IPython from expanding ``{name}`` in a magic's line, and let a ``;`` at its end silence the output."""
    from IPython.core.magic import MAGIC_NO_VAR_EXPAND_ATTR, MAGIC_OUTPUT_CAN_BE_SILENCED

    setattr(magic, MAGIC_NO_VAR_EXPAND_ATTR, True)
    setattr(magic, MAGIC_OUTPUT_CAN_BE_SILENCED, True)


def line_preserving_transformer() -> Any:
    """IPython's transformer of its syntax; where it joins the lines of a command, empty lines are added."""
    from IPython.core.inputtransformer2 import TransformerManager

    class Transformer(TransformerManager):
        def do_one_token_transform(self, lines: list[str]) -> tuple[bool, list[str]]:
            changed, new = super().do_one_token_transform(lines)  # type: ignore[no-untyped-call]
            missing = len(lines) - len(new)
            if changed and missing > 0:
                at = next(
                    index for index, (one, two) in enumerate(zip(lines, new, strict=False)) if one != two
                )
                new = [*new[: at + 1], *["\n"] * missing, *new[at + 1 :]]
            return changed, new

    return Transformer()  # type: ignore[no-untyped-call]


def cell_number(shell: Any) -> int:
    """The number of the running cell's ``Out[...]``; ``execution_count`` differs by IPython's version."""
    return int(shell.displayhook.prompt_count)


def accepts_input(shell: Any) -> bool | None:
    """Whether the client that runs the cell can answer ``input()``; None for a shell without a kernel."""
    kernel: Any = getattr(shell, "kernel", None)
    if kernel is None:
        return None
    parent = kernel.get_parent() if hasattr(kernel, "get_parent") else {}
    return bool(parent.get("content", {}).get("allow_stdin", True))


def answer_beside_cells(widget: Any) -> None:
    """Let a widget receive messages from the page while a cell runs, and not as if each message were a cell.

    ipykernel passes them to the last shell, which may run a cell for an hour; ipywidgets wraps them in the events of a
    cell, at which matplotlib shows and closes the figures of the running cell.
    """
    comm: Any = widget.comm
    vars(comm)["_reply_subshell_for"] = lambda _data, subshell: subshell
    comm.handle_msg = widget._handle_msg  # noqa: SLF001


def own_kernel_manager() -> type:
    """A manager for which the kernel ``python3`` is this Python, regardless of the installed kernels."""
    from ipykernel.kernelspec import RESOURCES
    from jupyter_client.kernelspec import NATIVE_KERNEL_NAME, KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager

    class OwnKernelSpecs(KernelSpecManager):
        def _find_spec_directory(self, kernel_name: str) -> str | None:
            own = kernel_name == NATIVE_KERNEL_NAME
            return RESOURCES if own else super()._find_spec_directory(kernel_name)

    class OwnKernelManager(AsyncKernelManager):
        def _kernel_spec_manager_default(self) -> KernelSpecManager:
            return OwnKernelSpecs(data_dir=self.data_dir)

    return OwnKernelManager


# -- papermill ------------------------------------------------------------------------------------------------


def without_error_marks(notebook: Any) -> Any:
    """A notebook without the cells by which papermill marks a failed cell."""
    from papermill.execute import remove_error_markers

    return remove_error_markers(notebook)


def yaml_loader() -> Any:
    """Papermill's loader of parameters: plain data, in which a date is a text."""
    from papermill.iorw import NoDatesSafeLoader

    return NoDatesSafeLoader


# -- KFP ------------------------------------------------------------------------------------------------------


def kfp_executor(executor_input: Mapping[str, Any], function: Callable[..., Any]) -> Any:
    """KFP's executor of a step, which a step's container runs; it has ``execute()``, and the artifacts by name."""
    from kfp.dsl.executor import Executor

    return Executor(executor_input=executor_input, function_to_execute=function)


# -- Kubernetes, urllib3 --------------------------------------------------------------------------------------


def websocket(configuration: Any, headers: Mapping[str, str], url: str) -> Any:
    """A websocket to an address of a Kubernetes API server; the ``headers`` authenticate the request."""
    from kubernetes.stream.ws_client import create_websocket, get_websocket_url

    return create_websocket(configuration, get_websocket_url(url), dict(headers))


def hang_up(answer: Any) -> None:
    """Close a response of urllib3 that another thread reads; closing alone would wait for that thread."""
    import socket

    with suppress(Exception):  # the response has ended already
        if hasattr(answer, "shutdown"):  # since urllib3 2.3
            answer.shutdown()
        else:
            answer.connection.sock.shutdown(socket.SHUT_RDWR)
    with suppress(Exception):
        answer.close()


# -- Optuna, CEL, pandas --------------------------------------------------------------------------------------


def parameters_of(trial: Any) -> Mapping[str, Any]:
    """The parameters of an Optuna trial, also of an enqueued trial that has not suggested them yet."""
    found: Mapping[str, Any] = trial.params or trial.system_attrs.get("fixed_params", {})
    return found


def cel_functions() -> Mapping[str, Any]:
    """cel-python's functions by their names, among them the relations (``_<_``)."""
    from celpy.evaluation import base_functions

    found: Mapping[str, Any] = base_functions
    return found


_READ_BY_PANDAS = frozenset({"_cache", "_readonly"})


def without_notes(state: Any) -> Any:
    """The pickled form of a pandas array, without what pandas caches in it when it is read."""
    if isinstance(state, tuple):
        return tuple(map(without_notes, state))
    if type(state) is dict:
        return {name: part for name, part in state.items() if name not in _READ_BY_PANDAS}
    return state
