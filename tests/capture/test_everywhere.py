"""What plain cells change for all of a kernel: said of the steps that it does not reach."""

from __future__ import annotations

import pytest

from tests.conftest import Shell

PLAIN = """import logging, os, random, warnings
import numpy as np
import pandas as pd
pd.set_option("display.max_rows", 7)
pd.options.display.precision = 3
np.random.seed(1)
warnings.filterwarnings("default")
os.chdir(".")
def later():
    np.random.seed(2)"""


def notes(shell: Shell, name: str) -> list[str]:
    told = "has no effect in the step: put it in a cell that begins with %%kf_setup"
    return [note.removesuffix(told).strip() for note in shell.component(name).notes if note.endswith(told)]


def test_a_step_that_is_concerned_is_told_of_it(shell: Shell) -> None:
    pytest.importorskip("pandas")
    shell.run(PLAIN)
    shell.run("%%kf_component a\nx = pd.DataFrame({'a': [1]})")
    shell.run("%%kf_component b\ny = float(np.random.rand())")
    shell.run("%%kf_component c\nz = float(np.mean([1]))")
    assert notes(shell, "a") == [
        "cell [1], line 4: pd.set_option()",
        "cell [1], line 5: pd.options.display.precision",
        "cell [1], line 7: warnings.filterwarnings()",
        "cell [1], line 8: os.chdir()",
    ]
    assert notes(shell, "b") == ["cell [1], line 6: np.random.seed()"]
    assert notes(shell, "c") == []


def test_a_set_up_cell_reaches_every_step(shell: Shell) -> None:
    pytest.importorskip("pandas")
    shell.run(f"%%kf_setup\n{PLAIN}")
    shell.run("%%kf_component a\nx = [pd.get_option('display.max_rows'), float(np.mean([1]))]")
    assert notes(shell, "a") == []


def test_a_cell_that_was_moved_into_set_up_is_told_of_no_more(shell: Shell) -> None:
    shell.run("import random\nrandom.seed(1)", cell_id="s")
    shell.run("%%kf_component a\nx = random.random()", cell_id="a")
    assert notes(shell, "a") == ["cell [1], line 2: random.seed()"]
    shell.run("%%kf_setup\nimport random\nrandom.seed(1)", cell_id="s")
    shell.run("%%kf_component a\nx = random.random()", cell_id="a")
    assert notes(shell, "a") == []


def test_tqdm_pandas_concerns_who_shows_progress(shell: Shell) -> None:
    pytest.importorskip("pandas")
    pytest.importorskip("tqdm")
    shell.run("import pandas as pd\nfrom tqdm.auto import tqdm\ntqdm.pandas()")
    shell.run("%%kf_component a\nx = len(pd.DataFrame({'a': [1]}).a.progress_apply(abs))")
    shell.run("%%kf_component b\ny = len(pd.DataFrame({'a': [1]}))")
    assert notes(shell, "a") == ["cell [1], line 3: tqdm.pandas()"]
    assert notes(shell, "b") == []
