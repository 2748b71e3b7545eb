"""The kernel's end of the live pictures: one anywidget model, which is never displayed itself.

Its module (built from ``js/``) finds the static views in the page that bear ``token``, and takes their place.
Imported when the first run is displayed, and not before: it brings ipywidgets.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from kfnb import compat

_MODULE = Path(__file__).parent / "static" / "live.js"


class Live(anywidget.AnyWidget):
    """Messages to the page go out by ``send_message``; its requests come in to ``receive``, in a thread of the kernel.

    Where page and kernel have subshells (JupyterLab 4.4, ipykernel 7), that is so while a cell runs too.
    """

    _esm = _MODULE.read_text(encoding="utf-8")
    token = traitlets.Unicode(help="the mark of this kernel's pictures, and the model's own id").tag(
        sync=True
    )

    def __init__(self, receive: Callable[[Mapping[str, Any]], None]) -> None:
        token = secrets.token_hex(16)
        super().__init__(model_id=token, token=token)
        compat.answer_beside_cells(self)
        self.on_msg(
            lambda _widget, content, _buffers: receive(content) if isinstance(content, dict) else None
        )

    def send_message(self, message: Mapping[str, Any], *buffers: bytes) -> None:
        """Send a message to the page; from any thread."""
        self.send(message, list[Any](buffers) or None)
