"""The example notebook: it runs by itself, in the time that it says, and its study is worth it."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "hyperparameter_tuning.ipynb"


@pytest.mark.slow
def test_the_best_of_the_study_beats_the_defaults_under_papermill(tmp_path: Path) -> None:
    pytest.importorskip("aclsum")
    environment = {**os.environ, "KFNB_HOME": str(tmp_path / "home"), "JUPYTER_PLATFORM_DIRS": "1"}
    program = [
        sys.executable,
        "-m",
        "papermill",
        str(EXAMPLE),
        str(tmp_path / "out.ipynb"),
        "--cwd",
        str(tmp_path),
    ]
    begun = time.monotonic()
    done = subprocess.run(program, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - begun < 240  # two minutes, on two cores that are ours alone
    cells = {cell["id"]: cell for cell in nbformat.read(tmp_path / "out.ipynb", 4).cells}
    said = "".join(output.get("text", "") for output in cells["verdict"].outputs)
    gains = [float(gain) for gain in re.findall(r"\(([+-][0-9.]+)\)", said)]
    assert len(gains) == 2
    assert gains[0] > 0
