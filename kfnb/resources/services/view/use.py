"""The lines that ask a service: for a shell, and for a program."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from kfnb.resources.services.model import ServiceSnapshot
from kfnb.ui.blocks import Block, CodeBlock, Section


def python_line(now: ServiceSnapshot) -> str:
    """The line of Python that asks it."""
    backend = "" if now.backend == "local" else f", backend={now.backend!r}"
    return f"kfnb.service({now.name!r}{backend}).predict(rows)"


def curl_line(now: ServiceSnapshot) -> str:
    """The line of a shell that asks it; empty where it has no address. ``rows.json`` has ``{"instances": [...]}``.

    curl reads the token from its input: the arguments of a process can be read by others.
    """
    if now.state.finished or not now.url:
        return ""
    url = shlex.quote(f"{now.url}/v1/models/{now.name}:predict")
    head = f"sed 's/^/Authorization: Bearer /' {shlex.quote(now.token_file)} | " if now.token_file else ""
    given = " -H @-" if now.token_file else ""
    return f"{head}curl {url}{given} -H 'content-type: application/json' -d @rows.json"


def use(now: ServiceSnapshot) -> Iterator[Block]:
    """The lines, where it has an address."""
    if curl := curl_line(now):
        yield Section("Use", [CodeBlock(f"{python_line(now)}\n{curl}")])
