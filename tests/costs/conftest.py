"""What tests of costs share: a home and prices of their own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kfnb import settings

TESTS = Path(__file__).parent.parent
sys.path.insert(0, str(TESTS / "costs"))
sys.path.insert(0, str(TESTS / "catalog"))  # the writer of homes


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The home that the settings name; the project has no prices."""
    folder = tmp_path / "home"
    monkeypatch.setenv("KFNB_HOME", str(folder))
    monkeypatch.setenv("KFNB_BACKEND", "local")
    monkeypatch.setenv("KFNB_WARM", "0")
    monkeypatch.chdir(tmp_path)
    settings.reset(start=tmp_path)
    yield folder
    settings.reset()
