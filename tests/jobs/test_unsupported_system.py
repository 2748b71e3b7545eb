"""On a system where nothing can be run, as Windows: kfnb is there, and says so in one line."""

import subprocess
import sys

PROGRAM = """
import sys
sys.modules.update(dict.fromkeys(("fcntl", "resource", "pwd", "grp", "termios"), None))
from pathlib import Path
import kfnb
from kfnb.resources.runs.local import LocalRunEngine
from kfnb.errors import BackendError
from kfnb.resources.runs.engine import Submission
import kfnb.resources.studies.local.engine
sys.path.insert(0, sys.argv[2])
from kinds import SPEC
backend = LocalRunEngine(Path(sys.argv[1]))
print(backend.list())
try:
    backend.submit(Submission(spec=SPEC, arguments={}, name="x"))
except BackendError as error:
    print(error)
"""


def test_kfnb_is_imported_and_says_that_nothing_can_be_run_here(tmp_path):
    here = __file__.rpartition("/")[0]
    command = [sys.executable, "-c", PROGRAM, str(tmp_path), here]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == [
        "[]",
        "local runs need Linux or macOS; use --backend kubeflow",
    ], done.stderr
