"""Pods as Kubernetes had them of the runs of a real Kubeflow."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

_RECORDINGS = Path(__file__).parent.parent / "runs" / "kubeflow" / "recordings"


def recorded_pods(name: str) -> list[dict[str, Any]]:
    """The pods of a recorded run."""
    data = (_RECORDINGS / f"{name}.pods.json.gz").read_bytes()
    items: list[dict[str, Any]] = json.loads(gzip.decompress(data))["items"]
    return items
