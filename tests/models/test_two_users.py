"""Two users, each with a notebook in a process of its own, share a registry and a data store."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = """
import json, os, sys
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

replies = os.fdopen(os.dup(1), "w", buffering=1)
settings = Config()
settings.HistoryManager.enabled = False
shell = InteractiveShell(config=settings)
shell.run_line_magic("load_ext", "kfnb")
for line in sys.stdin:
    with capture_output() as shown:
        done = shell.run_cell(json.loads(line), store_history=True)
    error = done.error_before_exec or done.error_in_exec
    failed = f"{type(error).__name__}: {error}" if error else ""
    print(json.dumps([shown.stdout + shown.stderr, failed]), file=replies)
"""
TRAINED = """
from sklearn.linear_model import LogisticRegression
data = kfnb.dataset("churn-data@1").load()
model = LogisticRegression(C={c}).fit(data[["a", "b"]], data["left"])
"""


@dataclass(frozen=True)
class Notebook:
    """A user's notebook: a shell in another process, with a home of its own."""

    process: subprocess.Popen[str]

    def start(self, cell: str) -> None:
        """Run a cell without waiting for it."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(cell) + "\n")
        self.process.stdin.flush()

    def end(self) -> tuple[str, str]:
        """Wait for the cell: what it shows, and its error."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the notebook's process has ended"
        shown, error = json.loads(line)
        return shown, error

    def run(self, cell: str) -> str:
        """Run a cell that must succeed; what it shows."""
        self.start(cell)
        shown, error = self.end()
        assert error == "", shown
        return shown

    def fails(self, cell: str) -> str:
        """Run a cell that must fail; its error."""
        self.start(cell)
        shown, error = self.end()
        assert error, shown
        return error


def opened(user: str, folder: Path) -> Notebook:
    """The notebook of a user, whose registry and data store are those in ``folder``."""
    home = folder / user
    home.mkdir()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("KFNB_")},
        "USER": user,
        "LOGNAME": user,
        "HOME": str(home),
        "KFNB_HOME": str(home / "kfnb"),
        "IPYTHONDIR": str(home / "ipython"),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    process = subprocess.Popen(
        [sys.executable, "-c", NOTEBOOK],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=home,
    )
    notebook = Notebook(process)
    notebook.run(f"import kfnb\n%kf_config registry={folder / 'registry'} data_store={folder / 'data'}\n")
    return notebook


@pytest.fixture
def notebooks(tmp_path: Path) -> Iterator[tuple[Notebook, Notebook]]:
    """The notebooks of ann and bob. Ann's data and her model are in the store, and Bob's two models of it."""
    ann, bob = opened("ann", tmp_path), opened("bob", tmp_path)
    try:
        ann.run(
            "import pandas as pd\n"
            "frame = pd.DataFrame({'a': [0.0, 1.0, 2.0, 3.0], 'b': [1.0, 0.0, 1.0, 0.0], 'left': [0, 0, 1, 1]})\n"
            "%kf_data add churn-data frame"
        )
        for notebook, c, accuracy in ((ann, 1, 0.8), (bob, 2, 0.9), (bob, 3, 0.85)):
            notebook.run(TRAINED.format(c=c))
            notebook.run(f"%kf_register model --name churn --metric accuracy={accuracy} --data churn-data@1")
        yield ann, bob
    finally:
        for one in (ann, bob):
            one.process.communicate(timeout=60)  # the end of its input is the end of the notebook


def moves(notebook: Notebook) -> list[Any]:
    shown = notebook.run(
        "import json\n"
        "from kfnb.resources.models.api import history\n"
        "print(json.dumps([[c.by, c.from_version, c.to_version, c.because] for c in history('churn')]))"
    )
    return list(json.loads(shown.splitlines()[-1]))


@pytest.mark.slow
def test_two_users_register_compare_promote_and_roll_back_in_one_store(
    notebooks: tuple[Notebook, Notebook],
) -> None:
    ann, bob = notebooks

    for notebook in notebooks:
        board = notebook.run("print([[one.ref, one.owner] for one in kfnb.models('churn')])")
        assert "[['churn@2', 'bob'], ['churn@3', 'bob'], ['churn@1', 'ann']]" in board, "best first"
    compared = ann.run("%kf_models compare churn@1 churn@2")
    assert all(word in compared for word in ("0.8", "0.9", "ann", "bob"))

    bob.run("mine = kfnb.model('churn@2')")
    ann.run("%kf_models promote churn@1 --because 'the first that works'")
    conflict = bob.fails("mine.promote(because='better')")
    assert conflict.startswith("Conflict: ann moved churn@champion to version 1 at ")
    assert "because 'the first that works'" in conflict
    assert "nothing was changed" in conflict

    bob.run("%kf_models promote churn@2 --because 'better on the holdout'")
    assert "churn@2" in ann.run("print(kfnb.model('churn@champion').ref)")
    ann.run("%kf_models rollback churn --because 'too slow'")
    assert "churn@1" in bob.run("print(kfnb.model('churn@champion').ref)")

    for notebook in notebooks:
        assert moves(notebook) == [
            ["ann", 2, 1, "rollback: too slow"],
            ["bob", 1, 2, "better on the holdout"],
            ["ann", None, 1, "the first that works"],
        ]
    page = bob.run("%kf_models history churn")
    assert all(word in page for word in ("ann", "bob", "better on the holdout", "too slow"))


@pytest.mark.slow
def test_of_two_users_who_promote_at_once_one_wins_and_the_other_is_told_by_whom(
    notebooks: tuple[Notebook, Notebook],
) -> None:
    ann, bob = notebooks
    ann.run("%kf_models promote churn@1")

    ann.start("%kf_models promote churn@2 --expected 1 --because 'ann says so'")
    bob.start("%kf_models promote churn@3 --expected 1 --because 'bob says so'")
    errors = {"ann": ann.end()[1], "bob": bob.end()[1]}

    [(winner, number)] = [(user, 2 if user == "ann" else 3) for user, error in errors.items() if not error]
    [error] = [error for error in errors.values() if error]
    assert error.startswith(f"Conflict: {winner} moved churn@champion to version {number} at ")
    assert f"because '{winner} says so'" in error
    assert moves(ann) == moves(bob) == [[winner, 1, number, f"{winner} says so"], ["ann", None, 1, ""]]
