"""What tests of lineage share: a home of its own, with runs that are written as the engine writes them."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kfnb import settings

sys.path.insert(0, str(Path(__file__).parent.parent / "catalog"))  # the writer of homes


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The home that the settings name."""
    folder = tmp_path / "home"
    monkeypatch.setenv("KFNB_HOME", str(folder))
    monkeypatch.setenv("KFNB_BACKEND", "local")
    settings.reset()
    yield folder
    settings.reset()
