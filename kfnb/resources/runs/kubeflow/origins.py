"""The notebooks of runs on a cluster, as they were when the runs were started from here: a cluster keeps none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kfnb.jobs import private


@dataclass(frozen=True)
class Origins:
    """Keeps what the manifests of runs have of their notebooks, in a folder of the home; None keeps nothing."""

    folder: Path | None = None

    def keep(self, run_id: str, origin: Mapping[str, Any]) -> None:
        """Keep the origin of a run. A run that has started is not failed by a full disk."""
        if self.folder is not None and origin:
            with suppress(OSError):
                private.make(self.folder)
                private.write(self.folder / f"{run_id}.json", json.dumps(origin))

    def of(self, run_id: str) -> Mapping[str, Any]:
        """The origin of a run; empty for one that was started elsewhere."""
        if self.folder is None:
            return {}
        try:
            found = json.loads((self.folder / f"{run_id}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, Mapping) else {}


NOT_KEPT = Origins()
"""For an engine without a home."""
