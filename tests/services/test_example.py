"""``examples/serving.ipynb`` as ``kfnb run`` executes it: it leaves nothing running, however it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

pytestmark = pytest.mark.slow

EXAMPLE = Path(__file__).parents[2] / "examples" / "serving.ipynb"


def executed(notebook: Path, home: Path) -> tuple[int, dict[str, Any]]:
    """The exit code of ``kfnb run``, and the executed notebook."""
    command = [sys.executable, "-m", "kfnb", "run", str(notebook), "--output-dir", str(home.parent / "out")]
    found = subprocess.run(command, env={**os.environ, "KFNB_HOME": str(home)}, check=False)
    return found.returncode, json.loads((home.parent / "out" / notebook.name).read_text())


def texts(executed: dict[str, Any]) -> str:
    """All that its cells put out, as text."""
    outputs = [one for cell in executed["cells"] for one in cell.get("outputs", ())]
    found = [one.get("text") or one.get("data", {}).get("text/plain") or "" for one in outputs]
    return "\n".join("".join(one) for one in found)


def serving(home: Path) -> list[str]:
    """The processes of services in a home."""
    lines = [" ".join(one.info["cmdline"] or ()) for one in psutil.process_iter(["cmdline"])]
    return [line for line in lines if str(home / "services") in line]


def test_the_example_serves_splits_compares_promotes_and_cleans_up(tmp_path: Path) -> None:
    code, notebook = executed(EXAMPLE, tmp_path / "home")
    shown = texts(notebook)
    assert code == 0, shown
    assert "Counter({'1': 198, '2': 2})" in shown
    assert '{"predictions":[' in shown
    assert "'thirty' is not an integer" in shown
    assert "after the promotion: {'churn-demo@2': 100.0}" in shown
    assert "after the rollback: {'churn-demo@1': 100.0}" in shown
    assert not serving(tmp_path / "home")
    assert list((tmp_path / "home" / "services").iterdir()) == []


def test_a_cell_that_fails_leaves_nothing_running(tmp_path: Path) -> None:
    notebook = json.loads(EXAMPLE.read_text())
    at = next(
        index for index, cell in enumerate(notebook["cells"]) if "service.predict(" in str(cell["source"])
    )
    notebook["cells"][at]["source"] = ["1 / 0"]
    broken = tmp_path / "broken.ipynb"
    broken.write_text(json.dumps(notebook))
    code, done = executed(broken, tmp_path / "home")
    assert code == 1
    assert "Ready" in texts(done), "it was served before"
    assert not serving(tmp_path / "home")
