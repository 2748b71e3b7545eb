"""The kernel's end of the live pictures: one anywidget model, which is never displayed itself.

Its module (built from ``js/``) looks in the page for the static pictures that bear ``token``, and takes their place.
Imported when the first run is displayed, and not before: it brings ipywidgets.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from kfnb.widgets.wire import Message

_MODULE = Path(__file__).parent / "static" / "live.js"


class Live(anywidget.AnyWidget):
    """What the page is told goes out by ``tell``; what it asks comes in to ``hear``, in the kernel's own thread."""

    _esm = _MODULE.read_text(encoding="utf-8")
    token = traitlets.Unicode(help="the mark of this kernel's pictures").tag(sync=True)

    def __init__(self, hear: Callable[[Message], None]) -> None:
        super().__init__(token=secrets.token_hex(8))
        _hear_at_once(self.comm)
        self.on_msg(lambda _widget, content, _buffers: hear(content) if isinstance(content, dict) else None)

    def tell(self, message: Message, *buffers: bytes) -> None:
        """Send a message to the page; from any thread."""
        self.send(message, list[Any](buffers) or None)


def _hear_at_once(comm: Any) -> None:
    """Take what the page says in the subshell that it was said to, so that it is heard while a cell runs.

    ipykernel would hand it to the shell that spoke last, which is the one that runs the cell; and ``comm`` would say
    that a cell has begun and ended, at which matplotlib shows and closes the figures of the one that still runs.
    """
    comm._reply_subshell_for = lambda _data, subshell: subshell
    comm.handle_msg = lambda message: comm._msg_callback(message)
