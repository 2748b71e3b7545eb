"""The notebook's own file: which of its cells carry which tags, such as papermill's: a kernel does not know them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class NotebookFile:
    """The file that the running notebook was opened from."""

    path: Path

    @staticmethod
    def find(namespace: Mapping[str, Any]) -> NotebookFile | None:
        """The file, where the client says which: Jupyter in JPY_SESSION_NAME, VS Code in a variable."""
        reported = namespace.get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME", "")
        for path in (Path(reported), Path.cwd() / Path(reported).name):
            if reported and path.suffix == ".ipynb" and path.is_file():
                return NotebookFile(path.resolve())
        return None

    def tagged(self, *tags: str) -> list[str]:
        """The sources of the cells that have one of ``tags``; none when the file cannot be read."""
        try:
            data = json.loads(self.path.read_text(encoding="utf-8"))
            cells = data["cells"]
        except (OSError, ValueError, KeyError, TypeError):
            return []
        return [
            "".join(cell.get("source", ""))
            for cell in cells
            if set(tags) & {*cell.get("metadata", {}).get("tags", ())}
        ]
