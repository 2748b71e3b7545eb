"""Rows from a file, or from what is piped into a command."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from kfnb.errors import UsageError
from kfnb.extras import require

_TABLES = {".csv": "read_csv", ".parquet": "read_parquet"}


def rows_of(path: str) -> Any:
    """The rows of a file: a table (.csv, .parquet), JSON, or JSON in lines (.jsonl). ``-`` is what is piped in.

    JSON is a list of rows, or what a request has (``{"instances": [...]}``). Raises ``UsageError``.
    """
    file = Path(path).expanduser()
    if path != "-" and not file.is_file():
        raise UsageError(f"{path}: no such file", code="file-not-found", ref=path)
    try:
        if file.suffix in _TABLES:
            require("pandas", f"reading {path}")
            import pandas as pd

            return getattr(pd, _TABLES[file.suffix])(file)
        text = sys.stdin.read() if path == "-" else file.read_text(encoding="utf-8")
        if file.suffix == ".jsonl":
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        found = json.loads(text)
    except (OSError, ValueError, ImportError) as error:
        raise UsageError(f"{path} cannot be read: {error}", ref=path) from None
    return found.get("instances", found) if isinstance(found, dict) else found
