"""A run again, from what was recorded of it: the same numbers, or a verdict with what explains the difference."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

import kfnb
from kfnb.errors import RunFailed, UsageError
from kfnb.resources.provenance.diff_view import draw_manifest_diff
from kfnb.resources.provenance.verdict import Agreement
from kfnb.settings import settings

TRAIN = """
import numpy as np
rng = np.random.default_rng(0)
x = rng.normal(size=(400, 60))
w = np.linalg.solve(x.T @ x, x.T @ rng.normal(size=400))
total = float(w.sum())
positive = int((w > 0).sum())
kf.log_metrics(positive=positive)
"""


@pytest.fixture
def notebook(shell, monkeypatch):
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    shell.run("%kf_config warm=0 cache=false")  # a process that stands by has loaded BLAS already
    return shell


def train(notebook, body=TRAIN, options="--output w --output total"):
    notebook.run(f"%%kf_component train {options}\n{body}")
    notebook.run("%kf_pipeline fit train")
    return notebook.submit("fit")


def again(run, **options):
    """The run again, and the diff of both."""
    return kfnb.diff(run, kfnb.rerun(run.id, **options).wait(180))


def test_a_rerun_gives_the_same_bits(notebook):
    found = again(train(notebook))
    assert found.verdict.agreement is Agreement.BITWISE
    assert found.causes == ()
    assert {one.name for one in found.verdict.outcomes} == {"train.w", "train.total", "train.positive"}


@pytest.mark.slow
def test_a_rerun_needs_neither_the_notebook_nor_its_cells(notebook):
    run = train(notebook)
    notebook.run("%%kf_component train --output total\ntotal = 1.0")
    assert again(run).verdict.agreement is Agreement.BITWISE


def test_another_blas_kernel_is_named_and_nothing_else(notebook, monkeypatch):
    run = train(notebook)
    chosen = kfnb.manifest(run)["hardware"].facts["blas_kernel"]
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Nehalem" if chosen == "Haswell" else "Haswell")
    found = again(run)
    assert found.verdict.agreement is Agreement.TOLERANCE
    assert 0 < found.verdict.largest < 1e-10
    assert [(one.layer, one.fact) for one in found.causes] == [("hardware", "blas_kernel")]
    text = draw_manifest_diff(found)["text/plain"]
    assert "Most likely: hardware: BLAS kernel (another kernel multiplies matrices" in text


@pytest.mark.slow
def test_another_locale_and_time_zone_are_named(notebook, monkeypatch):
    run = train(notebook, "import time\noffset = time.localtime().tm_gmtoff", "--output offset")
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    found = again(run)
    assert found.verdict.agreement is Agreement.DIFFERENT
    assert (found.verdict.cause.layer, found.verdict.cause.words) == ("os", "time zone")


@pytest.mark.slow
def test_random_numbers_without_a_seed_are_named(notebook):
    run = train(notebook, "import random\ndrawn = random.random()", "--output drawn")
    found = again(run)
    assert found.verdict.agreement is Agreement.DIFFERENT
    assert "no seed" in found.verdict.note
    notebook.run("%kf_config seed=1")
    run = train(notebook, "import random\ndrawn = random.random()", "--output drawn")
    assert again(run).verdict.agreement is Agreement.BITWISE


def test_a_file_that_has_changed_is_named_before_anything_starts(notebook, tmp_path):
    (tmp_path / "numbers.txt").write_text(os.urandom(200_000).hex())
    notebook.run("from pathlib import Path")
    run = train(notebook, "size = len(Path('numbers.txt').read_text())", "--output size")
    (tmp_path / "numbers.txt").write_text(os.urandom(100_000).hex())
    with pytest.raises(UsageError, match=r"files beside the notebook have changed since: numbers\.txt"):
        kfnb.rerun(run)
    (tmp_path / "numbers.txt").unlink()
    with pytest.raises(UsageError, match=r"gone from .*: numbers\.txt"):
        kfnb.rerun(run)
    assert len(kfnb.runs()) == 1


@pytest.mark.slow
def test_data_versions_are_those_of_the_run_and_what_is_damaged_is_named(notebook):
    notebook.run("import pandas as pd\nimport kfnb\nkfnb.add_data('rows', pd.DataFrame({'a': [1, 2, 3]}))")
    run = train(notebook, "total = int(rows.a.sum())", "--data rows=rows --output total")
    notebook.run("kfnb.add_data('rows', pd.DataFrame({'a': [5]}))")
    found = again(run)
    assert found.verdict.agreement is Agreement.BITWISE
    assert found.causes == ()
    store = next((notebook_home() / "data").rglob("*.parquet"), None) or notebook_home() / "data"
    if store.is_dir():
        shutil.rmtree(store)
    else:
        store.chmod(0o600)
        store.write_bytes(b"damaged")
    with pytest.raises(UsageError, match="data rows@1"):
        kfnb.rerun(run)


def notebook_home():
    return Path(settings().home)


@pytest.mark.slow
def test_a_package_that_is_not_available_is_named_before_anything_starts(notebook, monkeypatch):
    run = train(notebook, "x = 1", "--output x")
    home = notebook_home()
    (packages,) = (home / "packages").glob("*.json")
    listed = json.loads(packages.read_text())
    packages.write_text(json.dumps({"no-such-package-of-kfnb": {"version": "1.0"}, **listed}))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_NO_INDEX", "1")
    with pytest.raises(Exception, match="no-such-package-of-kfnb"):
        kfnb.rerun(run)
    assert len(kfnb.runs()) == 1
    assert again(run, here=True).verdict.agreement is Agreement.BITWISE


@pytest.mark.slow
def test_the_magic_shows_the_verdict_and_binds_the_diff(notebook, capsys):
    train(notebook)
    run = next(iter(kfnb.runs()))
    notebook.run(f"%kf_rerun {run.id} -o found")
    assert notebook["found"].verdict.agreement is Agreement.BITWISE
    notebook.run(f"%kf_diff {run.id} here -o apart")
    assert notebook["apart"].verdict is None


@pytest.mark.slow
def test_a_comparison_of_runs_says_how_much_their_environments_matter(notebook, monkeypatch):
    run = train(notebook, "x = 1", "--output x")
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    again = notebook.submit("fit")
    rows = {row.name: row.values for row in kfnb.compare(run, again).environment}
    assert rows["os: time zone (results may differ)"][1].startswith("IST")
    assert {name for name in rows if "differ)" in name} == {"os: time zone (results may differ)"}


@pytest.mark.slow
def test_another_environment_is_made_from_what_was_recorded(notebook):
    """With another numpy than this environment's, and nothing of its other packages."""
    notebook.run("import numpy as np")
    body = "version = np.__version__\nw = np.linalg.inv(np.arange(9.0).reshape(3, 3) + np.eye(3)).tolist()"
    try:
        run = train(notebook, body, "--output version --output w --package numpy==2.1.3")
    except RunFailed as error:
        pytest.skip(f"numpy 2.1.3 cannot be installed: {error}")
    assert run.outputs["train"]["version"] == "2.1.3"
    found = again(run)
    assert found.verdict.agreement is Agreement.BITWISE
    assert found.causes == ()
    numpy = next(one for one in kfnb.diff(run).differences if one.item == "numpy")
    assert (numpy.before["version"], str(numpy.effect)) == ("2.1.3", "results may differ")
