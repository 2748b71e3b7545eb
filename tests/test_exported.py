"""The public names are fixed: others write notebooks and programs against them."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

import kfnb


def test_the_public_names_are_these() -> None:
    assert sorted(kfnb.__all__) == [
        "Artifact",
        "Cost",
        "CostReport",
        "DatasetVersion",
        "Experiment",
        "KfnbError",
        "Leaderboard",
        "Lineage",
        "LogPolicy",
        "Manifest",
        "ModelVersion",
        "Monitor",
        "Report",
        "Run",
        "RunFailed",
        "RunList",
        "RunState",
        "Schedule",
        "Service",
        "ServiceFailed",
        "Status",
        "Study",
        "StudyFailed",
        "Task",
        "UploadedPipeline",
        "add_data",
        "compare",
        "compile",
        "costs",
        "dataset",
        "datasets",
        "diff",
        "experiments",
        "infer_schema",
        "lineage",
        "manifest",
        "model",
        "models",
        "monitor",
        "monitors",
        "register",
        "rerun",
        "run",
        "runs",
        "schedule",
        "schedules",
        "serve",
        "service",
        "services",
        "status",
        "studies",
        "study",
        "submit",
        "train",
        "tune",
        "upload",
        "uploads",
    ]


def test_every_public_name_can_be_had_and_is_documented() -> None:
    for name in kfnb.__all__:
        assert inspect.getdoc(getattr(kfnb, name)), name


def test_the_module_for_notebooks_needs_no_import_of_its_own() -> None:
    looking = "import kfnb; assert 'spawning' in dir(kfnb); assert callable(kfnb.spawning.notebooks)"
    subprocess.run([sys.executable, "-c", looking], check=True)


def test_the_functions_stay_functions_when_everything_is_imported() -> None:
    import kfnb.resources.runs.api
    import kfnb.resources.runs.local
    import kfnb.resources.studies.api

    assert callable(kfnb.runs)
    assert callable(kfnb.run)
    assert callable(kfnb.tune)
    assert callable(kfnb.study)
    assert callable(kfnb.studies)
    assert callable(kfnb.model)
    assert callable(kfnb.models)
    assert kfnb.resources.runs.local.LocalRunEngine.name == "local"


def test_submit_has_the_documented_signature() -> None:
    parameters = inspect.signature(kfnb.submit).parameters
    assert [(one.name, one.default) for one in parameters.values()] == [
        ("pipeline", inspect.Parameter.empty),
        ("arguments", None),
        ("backend", None),
        ("name", None),
        ("experiment", None),
        ("cache", True),
        ("from_study", None),
        ("env", ()),
        ("seed", None),
        ("budget", None),
        ("notify", print),
    ]
    keyword_only = [one.name for one in parameters.values() if one.kind is inspect.Parameter.KEYWORD_ONLY]
    assert keyword_only == [
        "backend",
        "name",
        "experiment",
        "cache",
        "from_study",
        "env",
        "seed",
        "budget",
        "notify",
    ]


def test_a_run_has_the_documented_members() -> None:
    documented = "id name pipeline backend state arguments tasks outputs result metrics artifacts"
    documented += " wait logs stop retry to_frame archive unarchive delete"
    run = kfnb.Run(None, "id")  # type: ignore[arg-type]
    for member in documented.split():
        assert member in {*dir(kfnb.Run), *vars(run)}


def test_a_study_has_the_documented_members() -> None:
    documented = "name state trials best wait stop resume delete logs observe snapshot to_frame plot"
    study = kfnb.Study(None, "name")  # type: ignore[arg-type]
    for member in documented.split():
        assert member in {*dir(kfnb.Study), *vars(study)}


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        kfnb.nothing  # noqa: B018 - looked up for its error
