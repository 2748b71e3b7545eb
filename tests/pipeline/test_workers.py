"""Functions and classes of the notebook in worker processes: in the kernel, in a run here, and in a pod's step."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Shell
from tests.pipeline.launched import launch

HELPERS = """
import math
from dataclasses import dataclass
STEP = 2
def sq(v):
    return v * v
def shifted(v):
    return sq(v) + math.floor(STEP)
@dataclass
class Item:
    value: int
def item(v):
    return Item(shifted(v))
"""

JOBLIB = """%%kf_component work --output jb --output same
from joblib import Parallel, delayed
jb = Parallel(n_jobs=2)(delayed(sq)(i) for i in range(4))
items = Parallel(n_jobs=2)(delayed(item)(i) for i in range(2))
same = all(type(one) is Item for one in items)"""

PROCESSES = """%%kf_component work --output values --output same --output own
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
OFFSET = 10
class Local:
    def __init__(self, v):
        self.v = v
def local(v):
    return Local(item(v).value + OFFSET)
context = multiprocessing.get_context("{method}")
with context.Pool(2) as pool:
    values = pool.map(sq, range(4))
with ProcessPoolExecutor(2, mp_context=context) as pool:
    items = list(pool.map(item, [Item(1).value, 2]))
    locals_ = list(pool.map(local, [3]))
same = all(type(one) is Item for one in items)
own = [one.v for one in locals_]"""

METHODS = ["fork", "forkserver", "spawn"]


def there(tmp_path: Path) -> Path:
    """An empty folder, as a pod's step begins in one."""
    folder = tmp_path / "there"
    folder.mkdir()
    return folder


@pytest.fixture
def joblib(shell: Shell) -> Shell:
    pytest.importorskip("joblib")
    shell.run(HELPERS)
    shell.run(JOBLIB)
    shell.run("%kf_pipeline p work")
    return shell


def test_joblib_works_in_the_kernel_and_in_a_run_here(joblib: Shell) -> None:
    assert joblib["jb"] == [0, 1, 4, 9]
    assert joblib.submit("p").result == {"jb": [0, 1, 4, 9], "same": True}


def test_joblib_works_in_a_pod(joblib: Shell, tmp_path: Path) -> None:
    done = launch("p", "work", there(tmp_path))
    assert done.parameters == {"jb": [0, 1, 4, 9], "same": True}, done.log


@pytest.mark.parametrize("method", METHODS)
def test_processes_work_in_a_pod(shell: Shell, tmp_path: Path, method: str) -> None:
    shell.run(HELPERS)
    shell.run(PROCESSES.format(method="fork"), cell_id="c")
    component = shell.component("work")
    assert component.outputs["own"].type == "list"
    shell.run("%kf_pipeline p work")
    done = launch("p", "work", there(tmp_path), edit=('"fork"', f'"{method}"'))
    assert done.parameters == {"values": [0, 1, 4, 9], "same": True, "own": [21]}, done.log


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_processes_work_in_a_run_here(shell: Shell, method: str) -> None:
    shell.run(f'METHOD = "fork"\n{HELPERS}')
    shell.run(PROCESSES.replace('"{method}"', "METHOD"))
    shell.run("%kf_pipeline p work")
    shell.component("work").constants["METHOD"] = repr(method)  # type: ignore[index]  # the kernel only forks
    assert shell.submit("p").result == {"values": [0, 1, 4, 9], "same": True, "own": [21]}


SEARCH = """%%kf_component search --output best --output score --output kept
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
search = GridSearchCV(
    make_pipeline(Shift(), LinearRegression()), {"shift__by": [0, STEP]}, scoring=scorer, n_jobs=2, cv=2
).fit(np.arange(12.0).reshape(-1, 1), np.arange(12.0))
best, score = search.best_params_, float(search.best_score_)
kept = type(search.best_estimator_[0]) is Shift"""

ESTIMATORS = """
import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LinearRegression
STEP = 3
class Shift(TransformerMixin, BaseEstimator):
    def __init__(self, by=1):
        self.by = by
    def fit(self, X, y=None):
        return self
    def transform(self, X):
        return X + self.by * STEP
def scorer(estimator, X, y):
    return -float(np.abs(estimator.predict(X) - y).round(6).sum()) - estimator[0].by
"""


@pytest.mark.slow
def test_a_grid_search_with_an_own_transformer_and_scorer_works_everywhere(
    shell: Shell, tmp_path: Path
) -> None:
    pytest.importorskip("sklearn")
    shell.run(ESTIMATORS)
    shell.run(SEARCH)
    shell.run("%%kf_component use --output again\nagain = type(search.best_estimator_[0]) is Shift")
    shell.run("%kf_pipeline p search use")
    expected = {"best": {"shift__by": 0}, "score": 0.0, "kept": True}
    assert {name: shell[name] for name in expected} == expected
    assert shell.submit("p").result == {**expected, "again": True}
    done = launch("p", "search", there(tmp_path))
    assert done.parameters == expected, done.log


@pytest.mark.slow
def test_a_data_loader_with_workers_works_everywhere(shell: Shell, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    shell.run(
        "import torch\nclass Twice(torch.utils.data.Dataset):\n    def __len__(self):\n        return 4\n"
        "    def __getitem__(self, i):\n        return 2 * i\n"
        "def double(v):\n    return [2 * int(one) for one in v]"
    )
    shell.run(
        "%%kf_component load --output seen\n"
        "loader = torch.utils.data.DataLoader(Twice(), batch_size=2, num_workers=2, collate_fn=double)\n"
        "seen = [v for batch in loader for v in batch]"
    )
    shell.run("%kf_pipeline p load")
    assert shell["seen"] == [0, 4, 8, 12]
    assert shell.submit("p").result == {"seen": [0, 4, 8, 12]}
    done = launch("p", "load", there(tmp_path))
    assert done.parameters == {"seen": [0, 4, 8, 12]}, done.log


def test_a_step_is_main_as_a_notebook_is(shell: Shell, tmp_path: Path) -> None:
    shell.run("class Point:\n    pass\ndef place():\n    return __name__, Point.__module__")
    shell.run(
        "%%kf_component a --output there --output back\nimport pickle\nimport sys\n"
        "there = [*place(), str(sys.modules['__main__'].Point is Point)]\n"
        "back = type(pickle.loads(pickle.dumps(Point()))) is Point"
    )
    shell.run("%kf_pipeline p a")
    expected = {"there": ["__main__", "__main__", "True"], "back": True}
    assert shell.submit("p").result == expected
    assert launch("p", "a", there(tmp_path)).parameters == expected


@pytest.mark.slow
def test_what_a_spawned_process_cannot_define_is_said(shell: Shell, tmp_path: Path) -> None:
    shell.run("n = 3\ndef sq(v):\n    return v * v")
    shell.run(
        "%%kf_component work --output values\nimport multiprocessing\nlimit = sum([n])\n"
        "def upto(v, most=limit):\n    return min(v, most)\n"
        'with multiprocessing.get_context("fork").Pool(1) as pool:\n    values = pool.map(sq, [upto(2)])'
    )
    shell.run("%kf_pipeline p work")
    done = launch("p", "work", there(tmp_path), edit=('"fork"', '"spawn"'))
    assert done.parameters == {"values": [4]}, done.log
    assert "no worker process has line" in done.log
    assert "name 'limit' is not defined" in done.log


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_work_in_each_trial_of_a_study(shell: Shell, method: str) -> None:
    shell.run(f"{HELPERS}METHOD = {method!r}")
    study = shell.run(
        "%%kf_tune s --space 'x=choice(1,2)' --objective loss --minimize --algorithm grid\n"
        "import multiprocessing\nfrom joblib import Parallel, delayed\n"
        "with multiprocessing.get_context(METHOD).Pool(2) as pool:\n    loss = sum(pool.map(shifted, [x, x]))\n"
        "loss += sum(Parallel(n_jobs=2)(delayed(sq)(v) for v in [x, x]))"
    )
    assert sorted(trial.value for trial in study.trials) == [8.0, 20.0]
