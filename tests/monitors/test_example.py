"""``examples/monitoring.ipynb`` as ``kfnb run`` executes it: from an alarm to a better model, and nothing is left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.real_data import rain

pytestmark = pytest.mark.slow

EXAMPLE = Path(__file__).parents[2] / "examples" / "monitoring.ipynb"


def executed(notebook: Path, place: Path) -> tuple[int, dict[str, str]]:
    """The exit code of ``kfnb run``, and what each cell has put out as text; all of it happens in ``place``."""
    paths = [os.environ.get("PYTHONPATH", ""), str(rain().parents[2])]
    environ = {
        **os.environ,
        "KFNB_HOME": str(place / "home"),
        "TMPDIR": str(place),
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
    }
    command = [sys.executable, "-m", "kfnb", "run", str(notebook), "--output-dir", str(place / "out")]
    code = subprocess.run(command, env=environ, check=False).returncode
    cells = json.loads((place / "out" / notebook.name).read_text())["cells"]
    return code, {"".join(one["source"]): text(one) for one in cells if one["cell_type"] == "code"}


def text(cell: dict[str, Any]) -> str:
    parts = [one.get("text") or one.get("data", {}).get("text/plain") or "" for one in cell["outputs"]]
    return "\n".join("".join(one) for one in parts)


def left(place: Path) -> list[str]:
    """What runs in a place, and the homes in it."""
    lines = [" ".join(one.info["cmdline"] or ()) for one in psutil.process_iter(["cmdline"])]
    homes = [str(one) for one in place.glob("kfnb-monitoring-*")]
    return [*(line for line in lines if f"{place}/kfnb-monitoring-" in line), *homes]


def after(shown: dict[str, str], source: str) -> str:
    """What the cell with that source has put out."""
    (found,) = [one for cell, one in shown.items() if source in cell]
    return found


def test_the_example_alarms_retrains_promotes_and_goes_back(tmp_path: Path) -> None:
    code, shown = executed(EXAMPLE, tmp_path)
    assert code == 0, shown
    assert "✓ OK · rain" in after(shown, "hour(11_500)")
    assert "WARNING" in after(shown, "hour(12_000)")
    alarm = after(shown, "hour(12_500)")
    assert "✗ Alarm · rain" in alarm
    assert "✗ score: drift weighted by importance" in alarm
    assert "✗ drop accuracy: accuracy 0.6" in alarm
    assert "registered rain@2" in after(shown, "retraining.wait")
    assert "rain@2 is rain@candidate" in after(shown, "hour(13_000)")
    assert "rain@2 100 %" in after(shown, "hour(13_500)")
    assert "monitor rain, alarm 1" in after(shown, "%kf_models show rain@champion")
    assert "✓ OK · rain" in after(shown, "hour(14_000)")
    guard = after(shown, "hour(15_000)")
    assert "✗ Alarm · guard" in guard
    assert "rain@2 gets all requests" in guard
    assert not left(tmp_path)


def test_a_cell_that_fails_leaves_nothing_running(tmp_path: Path) -> None:
    notebook = json.loads(EXAMPLE.read_text())
    at = next(at for at, cell in enumerate(notebook["cells"]) if "hour(11_500)" in str(cell["source"]))
    notebook["cells"][at]["source"] = ["1 / 0"]
    broken = tmp_path / "broken.ipynb"
    broken.write_text(json.dumps(notebook))
    code, shown = executed(broken, tmp_path)
    assert code == 1
    assert "No data · rain" in after(shown, "-o monitor"), "it was monitored before"
    assert not left(tmp_path)
