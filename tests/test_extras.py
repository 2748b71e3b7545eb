"""What a first notebook does without is optional: each import of it is checked for, and what is missing is named."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from kfnb.errors import KfnbError, MissingExtra
from kfnb.extras import PACKAGES, require
from kfnb.resources.studies.importance import with_importances
from kfnb.resources.studies.local.sampler import require_packages
from kfnb.resources.studies.model import Dimension, Objective, StudySnapshot, Trial, TrialState
from tests.conftest import Shell

ROOT = Path(__file__).parent.parent
BEHIND = {
    "kfnb/artifacts": "a preview names the package that it needs",
    "kfnb/capture/embedded": "travels with a step, which installs what it needs",
    "kfnb/resources/monitors/kubeflow/steps.py": "travels with a monitor, whose pods install what it needs",
    "kfnb/resources/training/trainer/pod_store.py": "travels with a TrainJob, whose pods install what it needs",
    "kfnb/resources/datasets": "values.py asks for it, and files.py looks whether it is installed",
    "kfnb/profiles/footers.py": "data sets look whether it is installed before they read files",
    "kfnb/server": "the program of a deployment, whose requirements name what it imports",
    "kfnb/resources/services/local": "LocalServiceEngine.create has asked for it, before the driver starts",
    "kfnb/resources/studies/local": "LocalStudyEngine.start and .resume have asked for it, before the driver starts",
    "kfnb/resources/studies/distribution.py": "importance.py and the driver, which use it, have asked for it",
}
"""Files that import an optional package without asking, and who has asked before."""

Missing = Any


def project() -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return table


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[>=<;\[ ]", one)[0] for one in requirements}


@pytest.fixture
def missing(monkeypatch: pytest.MonkeyPatch) -> Missing:
    return lambda module: monkeypatch.setitem(sys.modules, module, None)


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))


def optional_imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            modules = [node.module]
        yield from (
            (one.partition(".")[0], node.lineno) for one in modules if one.partition(".")[0] in PACKAGES
        )


def required(function: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "require":
            assert isinstance(node.args[0], ast.Constant)
            yield node.args[0].value, node.lineno


def importing() -> list[Path]:
    """The files of kfnb that import an optional package."""
    every = (one for one in sorted((ROOT / "kfnb").rglob("*.py")) if not where(one).startswith(tuple(BEHIND)))
    return [one for one in every if any(optional_imports(ast.parse(one.read_text(encoding="utf-8"))))]


def where(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("file", importing(), ids=where)
def test_an_optional_package_is_imported_only_by_a_function_that_has_asked_for_it(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    checked = {
        (module, line)
        for function in functions(tree)
        for module, line in optional_imports(function)
        for asked, before in required(function)
        if asked == module and before < line
    }
    for_types = {
        (module, line)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for module, line in optional_imports(node)
    }
    assert set(optional_imports(tree)) - for_types <= checked


@pytest.mark.parametrize("module", sorted(PACKAGES))
def test_an_optional_package_is_of_the_extra_that_the_error_names(module: str) -> None:
    package, extra = PACKAGES[module]
    extras = project()["optional-dependencies"]
    assert package not in names(project()["dependencies"])
    if extra:
        assert package in names(extras[extra])
        assert extra in extras["all"][0]


def test_a_clone_and_the_examples_have_every_extra() -> None:
    extras = project()["optional-dependencies"]
    assert "kfnb[all]" in extras["dev"]
    assert "kfnb[all]" in extras["examples"]


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("optuna", "kf_tune needs optuna: pip install 'kfnb[tune]'"),
        ("grpc", "kf_tune needs grpcio: pip install 'kfnb[cluster]'"),
        ("pandas", "kf_tune needs pandas: pip install pandas"),
    ],
)
def test_what_is_missing_is_named_in_one_line(missing: Missing, module: str, line: str) -> None:
    missing(module)
    with pytest.raises(MissingExtra) as raised:
        require(module, "kf_tune")
    assert str(raised.value) == line
    assert isinstance(raised.value, KfnbError)


@pytest.mark.parametrize("module", sorted(PACKAGES))
def test_what_is_installed_is_nothing_to_speak_of(module: str) -> None:
    if find_spec(module) is None:
        pytest.skip(f"{module} is not installed")
    require(module, "a test")


@pytest.mark.parametrize(
    ("algorithm", "module", "package"), [("cmaes", "cmaes", "cmaes"), ("sobol", "scipy", "scipy")]
)
def test_an_algorithm_names_what_it_needs_itself(
    missing: Missing, algorithm: str, module: str, package: str
) -> None:
    missing(module)
    require_packages("tpe")
    with pytest.raises(MissingExtra, match=f"--algorithm {algorithm} needs {package}"):
        require_packages(algorithm)


def test_a_study_here_is_refused_before_anything_has_started(
    shell: Shell, missing: Missing, tmp_path: Path
) -> None:
    missing("optuna")
    told = shell.fails('%%kf_tune fit --space "x=float(0,1)" --objective loss --minimize\nloss = x')
    assert told == "kf_tune needs optuna: pip install 'kfnb[tune]'"
    assert not list((tmp_path / "kfnb-home").rglob("study*"))


def test_a_study_that_is_only_looked_at_says_what_its_importances_need(missing: Missing) -> None:
    missing("optuna")
    trials = tuple(Trial(n, TrialState.SUCCEEDED, {"x": n / 9}, float(n)) for n in range(9))
    seen = with_importances(
        StudySnapshot(
            "s", "kubeflow", Objective("loss"), space=(Dimension("x", "float", 0, 1),), trials=trials
        )
    )
    assert seen.notes == ("the importance of parameters needs optuna: pip install 'kfnb[tune]'",)


def test_a_run_says_what_its_frame_needs(shell: Shell, missing: Missing) -> None:
    import kfnb

    missing("pandas")
    with pytest.raises(MissingExtra, match="to_frame needs pandas: pip install pandas"):
        kfnb.runs().to_frame()
