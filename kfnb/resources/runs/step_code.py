"""What a task's code is known by, here and on a cluster: the program that its PipelineSpec has."""

from __future__ import annotations

import hashlib


def code_digest(program: str) -> str:
    """The sha256 of a step's program, in hexadecimal digits; empty for a step without one."""
    return hashlib.sha256(program.encode("utf-8", "surrogatepass")).hexdigest() if program else ""
