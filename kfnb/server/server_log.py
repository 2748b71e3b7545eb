"""What the server writes to its log: where an error arose, and never a value of a row."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path


def report(error: BaseException) -> None:
    """Log the class of an error and the lines of code that it came through.

    Its message is left out: those of pandas and numpy quote values.
    """
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"  {Path(frame.filename).name}, line {frame.lineno}, in {frame.name}" for frame in frames]
    log("\n".join([type(error).__name__, *places]))


def log(line: str) -> None:
    """Write a line to the log."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
