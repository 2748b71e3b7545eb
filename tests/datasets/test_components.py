"""Versions of data sets in components: the value in the cell, the same version in every run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import kfnb
from kfnb.entities import imported_data
from kfnb.errors import UsageError
from kfnb.resources.components.api import spec_of
from kfnb.resources.datasets.api import with_data
from tests.conftest import Shell


@pytest.fixture
def data(shell: Shell, tmp_path: Path) -> Shell:
    """A notebook with ``churn-data`` in two versions, a file, a folder, and a dict of a frame and an array."""
    for top in (3, 1000):
        kfnb.add_data("churn-data", pd.DataFrame({"x": [1, 2, top], "s": ["a", None, "b"]}))
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "one.txt").write_text("one")
    (tmp_path / "folder" / "two.txt").write_text("two")
    kfnb.add_data("notes", tmp_path / "folder" / "one.txt")
    kfnb.add_data("folder", tmp_path / "folder")
    kfnb.add_data("parts", {"a b": pd.DataFrame({"x": [1]}), "n": np.arange(4), "s": pd.Series([5, 6])})
    return shell


SUM = "%%kf_component add --data churn={} --output total\ntotal = int(churn.x.sum())"


def test_the_cell_and_the_run_have_the_same_version(data: Shell) -> None:
    data.run(SUM.format("churn-data@1"))
    assert data["total"] == 6
    data.run("%kf_pipeline p add")
    run = data.submit("p")
    assert run.result == {"total": 6}
    [imported] = [task for task in run.tasks.values() if "importer" in task.name]
    assert imported.outputs["artifact"].metadata["kfnb_title"] == "churn-data@1"
    assert imported.outputs["artifact"].metadata["kfnb_digest"] == kfnb.dataset("churn-data@1").digest
    assert data.component("add").inputs["churn"].producer == "churn-data@1"


def test_the_newest_version_is_pinned_and_said(data: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    data.run(SUM.format("churn-data"))
    assert "note: churn is churn-data@2, the newest version" in capsys.readouterr().out
    data.run("%kf_pipeline p add")
    kfnb.add_data("churn-data", pd.DataFrame({"x": [7], "s": ["z"]}))
    assert data.submit("p").result == {"total": 1003}


def test_a_run_of_the_same_content_is_cached(data: Shell) -> None:
    data.run(SUM.format("churn-data@1"))
    data.run("%kf_pipeline p add")
    data.submit("p")
    assert data.submit("p").tasks["add"].cached
    data.run(SUM.format("churn-data@2"))
    assert not data.submit("p").tasks["add"].cached


def test_a_parameter_chooses_the_version(data: Shell) -> None:
    data.run(
        "%%kf_component add --data churn=churn-data@{version} --param version:int=1 --output total\n"
        "total = int(churn.x.sum())"
    )
    assert data["total"] == 6
    data.run("%kf_pipeline p add")
    assert data.submit("p").result == {"total": 6}
    run = data.submit("p", version=2)
    assert run.result == {"total": 1003}
    assert not run.tasks["add"].cached
    with pytest.raises(kfnb.KfnbError, match="unknown version churn-data@5"):
        data.submit("p", version=5)
    with pytest.raises(UsageError, match="the version is chosen when a run is submitted"):
        with_data(spec_of("p").spec, None, local=False)


def test_files_folders_and_dicts_are_what_they_were(data: Shell) -> None:
    data.run(
        "%%kf_component read --data notes=notes --data folder=folder@1 --data parts=parts --output found\n"
        "names = sorted(one.name for one in folder.iterdir())\n"
        "found = [notes.read_text(), notes.name, *names, int(parts['n'].sum()), int(parts['a b'].x[0]), "
        "int(parts['s'].sum())]"
    )
    expected = ["one", "one.txt", "one.txt", "two.txt", 6, 1, 11]
    assert data["found"] == expected
    assert data.component("read").files.reads == frozenset()
    data.run("%kf_pipeline p read")
    assert data.submit("p").result == {"found": expected}


def test_steps_that_take_one_version_import_it_once(data: Shell) -> None:
    data.run(SUM.format("churn-data@1"))
    data.run("%%kf_component count --data table=churn-data@1 --output rows\nrows = len(table) + total")
    data.run("%kf_pipeline p add count")
    assert [one.ref for _, one in imported_data(spec_of("p").spec)] == ["churn-data@1"]
    assert data.submit("p").result["rows"] == 9


def test_a_step_may_change_its_data_for_the_next(data: Shell) -> None:
    data.run("%%kf_component clean --data churn=churn-data@1\nchurn['y'] = churn.x * 2")
    data.run("%%kf_component add --output total\ntotal = int(churn.y.sum())")
    assert data["total"] == 12
    data.run("%kf_pipeline p clean add")
    assert data.submit("p").result == {"total": 12}
    assert kfnb.dataset("churn-data@1").load().columns.tolist() == ["x", "s"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--data churn", "--data churn: write name=data-set@version"),
        ("--data 1=churn-data", "--data 1=churn-data: write name=data-set@version"),
        ("--data churn=churn-dta", "unknown data set churn-dta; did you mean churn-data?"),
        ("--data churn=churn-data@9", "unknown version churn-data@9; churn-data has versions 1 to 2"),
        ("--data churn=churn-data@{v}", "v is not a parameter: declare it, --param v:int=1"),
        ("--data churn=churn-data --data churn=churn-data@1", "--data churn is given more than once"),
        ("--data other=churn-data@1", "--data other: cell bad [2] does not read other"),
    ],
)
def test_wrong_use_is_one_line_and_changes_nothing(data: Shell, options: str, message: str) -> None:
    data.run("churn = other = 5")
    assert message in data.fails(f"%%kf_component bad {options}\nz = churn")
    assert (data["churn"], data["other"]) == (5, 5)


def test_another_cell_has_to_take_it_too(data: Shell) -> None:
    data.run(SUM.format("churn-data@1"))
    told = data.fails("%%kf_component other\ny = len(churn)")
    assert "churn is a data set of add only: declare it here too, --data churn=churn-data@1" in told


def test_a_single_function_takes_none(data: Shell) -> None:
    source = "%%kf_component f --data churn=churn-data@1\ndef f(a: int) -> int:\n    return len(churn)"
    assert "is a single function: read the data in a cell of statements" in data.fails(source)


def test_a_version_of_another_kind_is_refused_before_anything_runs(data: Shell) -> None:
    data.run(
        "%%kf_component add --data churn=churn-data@{version} --param version:int=1 --output total\n"
        "total = int(churn.x.sum())"
    )
    data.run("%kf_pipeline p add")
    kfnb.add_data("churn-data", np.arange(3))
    with pytest.raises(UsageError, match=r"churn-data@3 is an array \(numpy\), but the component ran with"):
        data.submit("p", version=3)


def test_pods_need_a_bucket(data: Shell) -> None:
    data.run(SUM.format("churn-data@1"))
    data.run("%kf_pipeline p add")
    with pytest.raises(
        UsageError, match=r"churn-data@1 is in .*, a folder that pods do not reach: set %kf_config"
    ):
        kfnb.submit("p", backend="kubeflow")


def test_pods_read_a_bucket(data: Shell, s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    data.run(f"%kf_config data_store=s3://bucket/pods?endpoint={s3}&region=us-east-1")
    frame = pd.DataFrame({"x": [1, 2, 3]})
    version = kfnb.add_data("churn-data", frame)
    data.run(SUM.format("churn-data@1"))
    data.run("%kf_pipeline p add")
    spec = with_data(spec_of("p").spec, {}, local=False)
    uri = f"s3://bucket/pods/files/{version.snapshot().digest}/data.parquet"
    assert json.dumps(spec).count(uri) >= 1
    assert "kfnb-data:" not in json.dumps(spec)
    assert data.submit("p").result == {"total": 6}  # here it is downloaded


def test_a_store_with_another_content_is_noticed(data: Shell, tmp_path: Path) -> None:
    data.run(SUM.format("churn-data@1"))
    data.run("%kf_pipeline p add")
    data.run(f"%kf_config data_store={tmp_path}/other")
    kfnb.add_data("churn-data", pd.DataFrame({"x": [5], "s": ["q"]}))
    with pytest.raises(UsageError, match="has another content than when the pipeline was made"):
        kfnb.submit("p")


def test_a_component_shows_where_its_data_is_from(data: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    data.run(SUM.format("churn-data@1"))
    data.run("%kf_show add")
    assert "from churn-data@1" in capsys.readouterr().out
    data.run("%kf_pipeline p add")
    data.run("%kf_show p")
    assert "churn-data@1" in capsys.readouterr().out


def test_a_study_of_a_step_with_data(data: Shell) -> None:
    data.run(
        "%%kf_component bowl --data churn=churn-data@1 --param a:float=1.0 --output loss\n"
        "loss = float((a - churn.x.mean()) ** 2)"
    )
    study = kfnb.tune("bowl", "a=float(0,4)", objective="loss", maximize=False, trials=2)
    study.wait()
    assert study.best is not None
