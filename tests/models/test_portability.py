"""A model that another process could not load is registered with a warning that says so."""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

import kfnb
from kfnb.errors import UsageError
from kfnb.settings import reset
from tests.conftest import Shell

X = np.random.default_rng(0).normal(size=(30, 2))
BESIDE = """from sklearn.linear_model import LinearRegression

class Beside(LinearRegression):
    pass
"""


@pytest.fixture(autouse=True)
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A module beside the notebook."""
    monkeypatch.setenv("KFNB_HOME", str(tmp_path / "home"))
    reset()
    (tmp_path / "beside_the_notebook.py").write_text(BESIDE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "beside_the_notebook", raising=False)
    yield importlib.import_module("beside_the_notebook")
    reset()


def remarks(model: Any, **options: Any) -> list[str]:
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        kfnb.register(model.fit(X, X[:, 0]), "model", example=X, **options)
    return [str(one.message) for one in found]


def test_a_class_of_the_notebook_is_named_with_what_to_do(shell: Shell) -> None:
    shell.run(BESIDE)
    own = shell.run("Beside()")
    (text,) = remarks(own, trust=["__main__.Beside"])
    assert "the model refers to __main__.Beside, which this notebook alone has" in text
    assert "cannot be served, nor loaded elsewhere" in text
    assert "pickle=True" in text
    assert remarks(own, pickle=True) == []  # by value


@pytest.mark.parametrize("options", [{"trust": ["beside_the_notebook.Beside"]}, {"pickle": True}])
def test_a_class_of_a_module_beside_the_notebook_is_named(beside: Any, options: dict[str, Any]) -> None:
    (text,) = remarks(beside.Beside(), **options)
    assert "the model refers to beside_the_notebook.Beside, which this notebook alone has" in text


def test_a_model_of_installed_packages_has_no_remark() -> None:
    assert remarks(LinearRegression()) == []


def test_a_model_that_predicts_nothing_is_refused_with_what_it_returned() -> None:
    class Nothing:
        def predict(self, rows: Any) -> None:
            pass

    with pytest.raises(
        UsageError, match="predict of the model returned a NoneType: return a prediction for each"
    ):
        kfnb.register(Nothing(), "nothing", example=X, pickle=True)
