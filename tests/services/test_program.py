"""Services of real models: the program of a deployment folder, in this environment and in another one."""

from __future__ import annotations

import json
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from service_conformance import Versions, until

import kfnb
from kfnb.commands.display import bundle
from kfnb.errors import UsageError
from kfnb.resources.services import api
from kfnb.resources.services.local import program
from kfnb.resources.services.local.folder import ServiceFolder

pytestmark = pytest.mark.slow


def table(rows: int = 200) -> pd.DataFrame:
    chance = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": chance.integers(18, 80, rows).astype(float),
            "income": chance.normal(3000, 800, rows),
            "plan": chance.choice(["a", "b"], rows),
        }
    )
    frame.loc[::7, "income"] = np.nan
    return frame


def trained(frame: pd.DataFrame, strength: float) -> Any:
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    prepare = make_column_transformer(
        (SimpleImputer(), ["age", "income"]), (OneHotEncoder(handle_unknown="ignore"), ["plan"])
    )
    return make_pipeline(prepare, LogisticRegression(C=strength, max_iter=5000)).fit(
        frame, (frame.age > 50).astype(int)
    )


def test_a_model_answers_as_in_the_notebook_and_explains_itself(home: Path) -> None:
    frame = table()
    models = [trained(frame, strength) for strength in (1.0, 0.001)]
    for model in models:
        kfnb.register(model, "churn", example=frame, notify=lambda _: None)
    service = kfnb.serve("churn@1").wait(120)
    assert service.predict(frame).tolist() == models[0].predict(frame).tolist()
    assert service.predict(frame[["plan", "income", "age"]].head(3)).tolist() == list(
        models[0].predict(frame.head(3))
    )
    assert service.predict([{"age": 20, "income": None, "plan": "a"}]).tolist() == [0]

    explained = service.explain(frame.head(2))
    assert [one.prediction for one in explained] == models[0].predict(frame.head(2)).tolist()
    for one in explained:
        assert one.columns == ("age", "income", "plan")
        assert one.strongest(one.predicted[-1])[0][0] == "age"
        for base, value, shares in zip(one.base, one.value, one.contributions, strict=True):
            assert base + sum(shares) == pytest.approx(value, abs=1e-9)
    assert list(explained.to_frame().columns) == ["prediction", "output", "base", "age", "income", "plan"]
    assert "Contribution" in bundle(explained)["text/plain"]
    with pytest.raises(UsageError, match=r"service churn: .*age"):
        service.predict(frame.drop(columns=["age"]).head(1))
    now = until(api.engine_of(), "churn", lambda now: bool(now.revisions[0].counters.bad_inputs))
    assert sum(sum(some.values()) for some in now.revisions[0].counters.bad_inputs.values()) > 0
    assert now.revisions[0].counters.failures[0].status == 422
    assert not now.notes, "nothing in what the program counts is unknown"

    service.canary("churn@2", 50).wait(120)
    assert service.predict(frame, version="canary").tolist() == models[1].predict(frame).tolist()
    service.promote().wait(60)
    request = urllib.request.Request(f"{service.url}/v2/models/churn")
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert json.load(answer)["versions"] == ["2"]


def wheel(folder: Path, name: str, value: str) -> Path:
    """A wheel with one module, which holds ``VALUE``."""
    path, info = folder / f"{name}-1.0-py3-none-any.whl", f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(f"{name}.py", f"VALUE = {value!r}\n")
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        tag = "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        file.writestr(f"{info}/WHEEL", tag)
        file.writestr(f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return path


def test_a_version_with_other_packages_gets_an_environment_of_its_hash(
    home: Path, version: Versions, tmp_path: Path
) -> None:
    package = wheel(tmp_path, "kfnb_served_only", "blue")
    one = version(imports="kfnb_served_only", requirements=str(package))
    service = kfnb.serve("churn").wait(120)
    (environment,) = [path for path in (home / "envs").iterdir() if path.is_dir()]
    folder = ServiceFolder(home / "services" / "churn")
    needed = program.requirements(folder.version(one.digest), [])
    assert needed.packages == (str(package),)
    assert program.python_for(needed, home / "envs") == environment / "bin" / "python"
    assert not list(environment.glob("lib/*/site-packages/kfp")), "what serves needs no KFP"
    assert service.predict([[1, 2]]).tolist() == [103]
    assert "Building an environment" in service.logs()

    service.stop()
    until(api.engine_of(), "churn", lambda now: now.state.finished)
    built = environment.stat().st_mtime_ns
    service.start().wait(60)
    assert environment.stat().st_mtime_ns == built, "it is kept"


def test_packages_that_cannot_be_installed_are_named(home: Path, version: Versions) -> None:
    version(requirements="./no-such-file.whl")
    with pytest.raises(kfnb.ServiceFailed, match=r"cannot install its packages: .*no-such-file"):
        kfnb.serve("churn").wait(120)
