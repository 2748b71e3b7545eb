"""What tests of provenance share: a home of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kfnb import settings


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The home that the settings name."""
    folder = tmp_path / "home"
    monkeypatch.setenv("KFNB_HOME", str(folder))
    monkeypatch.setenv("KFNB_BACKEND", "local")
    monkeypatch.chdir(tmp_path)
    settings.reset()
    yield folder
    settings.reset()
