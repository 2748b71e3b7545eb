"""A model with its transform: the folder, what is checked when it is saved, and how both come back."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import kfnb
from kfnb.capture.embedded.samples import kfnb_read_sample
from kfnb.capture.embedded.transform_files import kfnb_model_transform
from kfnb.capture.embedded.transforms import kfnb_Transform
from kfnb.errors import UsageError
from kfnb.resources.models.display import DISPLAYS
from kfnb.settings import reset
from tests.conftest import Shell

CODE = """# cell prepare, line 2
def fit(df):
    return {"median": df.income.median(), "cities": sorted(df.city.dropna().unique())}

def transform(df, state):
    known = {city: df.city == city for city in state["cities"]}
    return df.assign(income=df.income.fillna(state["median"]), **known)[["income", *state["cities"]]]
"""
ROWS = pd.DataFrame(
    {
        "income": [1.0, None, 3.0, 7.0] * 50,
        "city": pd.Series(["a", "b", None, "c"] * 50),
        "since": pd.to_datetime(
            ["2024-01-01 12:00", None, "2024-06-01 00:00", "2023-01-01 00:00"] * 50
        ).tz_localize("UTC"),
        "visits": pd.array([1, None, 3, 4] * 50, dtype="Int64"),
        "churn": [0, 1, 1, 0] * 50,
    }
)


OWN = """class Own:
    pass
def fit(df):
    return {"own": [Own()]}
def transform(df, state):
    return df[["income"]].fillna(0)
"""


def prepared(code: str = CODE, **more: Any) -> kfnb_Transform:
    return kfnb_Transform("prepare", code, packages={"pandas": "pandas"}, **more)


def model_of(transform: kfnb_Transform, rows: pd.DataFrame = ROWS) -> LogisticRegression:
    return LogisticRegression().fit(transform.fit_transform(rows), rows.churn)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("KFNB_HOME", str(tmp_path / "home"))
    reset()
    yield tmp_path
    reset()


# -- the folder -----------------------------------------------------------------------------------------------


def test_a_folder_has_the_code_the_state_and_rows_with_their_predictions(home: Path) -> None:
    transform = prepared(files={"tools.py": "ONE = 1\n"})
    model = model_of(transform)
    version = kfnb.register(model, "churn", transform=transform, example=ROWS)
    folder = version.path()
    files = sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file())
    assert files == [
        *("code/modules/tools.py", "code/transform.py", "kfnb_model.json", "model.skops", "requirements.txt"),
        *("sample.json", "state/state.json"),
    ]
    facts = json.loads((folder / "kfnb_model.json").read_text())
    assert (folder / "code/transform.py").read_text() == CODE
    assert facts["transform"]["name"] == "prepare"
    assert version.snapshot().transform == f"{facts['transform']['code']}-{facts['transform']['state']}"
    assert facts["sample"] == {"file": "sample.json", "rows": 100, "kind": "pandas.DataFrame"}
    assert {"pandas", "scikit-learn"} <= facts["packages"].keys()
    rows, predictions = kfnb_read_sample(str(folder)) or ((), ())
    assert rows.dtypes.equals(ROWS.dtypes)
    pd.testing.assert_frame_equal(rows[:1], ROWS[:1])
    assert rows.drop_duplicates().shape[0] == 4
    np.testing.assert_array_equal(predictions, model.predict(transform.transform(rows)))


def test_the_columns_are_the_raw_ones_with_what_was_seen(home: Path) -> None:
    transform = prepared()
    folder = kfnb.register(model_of(transform), "churn", transform=transform, example=ROWS).path()
    facts = json.loads((folder / "kfnb_model.json").read_text())
    inputs = {one.pop("name"): {**one, "shape": None} for one in facts["inputs"]}
    common = {"shape": None, "nullable": True}
    assert inputs == {
        "income": {"type": "float64", **common, "minimum": 1.0, "maximum": 7.0},
        "city": {"type": str(ROWS.city.dtype), **common, "categories": ["a", "b", "c"]},
        "since": {
            "type": "datetime64[us, UTC]" if pd.__version__ >= "3" else "datetime64[ns, UTC]",
            **common,
            "minimum": "2023-01-01T00:00:00+00:00",
            "maximum": "2024-06-01T00:00:00+00:00",
            "optional": True,
        },
        "visits": {"type": "Int64", **common, "minimum": 1, "maximum": 4, "optional": True},
        "churn": {
            "type": "int64",
            "shape": None,
            "nullable": False,
            "minimum": 0,
            "maximum": 1,
            "optional": True,
        },
    }
    assert [one["type"] for one in facts["outputs"]] == ["int64"]


def test_a_text_column_of_many_values_has_no_categories(home: Path) -> None:
    rows = pd.DataFrame({"x": range(101), "id": [f"c{i}" for i in range(101)]})
    model = LogisticRegression().fit(rows[["x"]], rows.x > 50)
    folder = kfnb.register(model, "m", example=rows[["x"]].assign(x=rows.x)).path()
    assert "categories" not in (folder / "kfnb_model.json").read_text()
    transform = kfnb_Transform("t", "def transform(df):\n    return df[['x']]\n")
    folder = kfnb.register(model, "m", transform=transform, example=rows).path()
    found = json.loads((folder / "kfnb_model.json").read_text())["inputs"]
    assert "categories" not in next(one for one in found if one["name"] == "id")


def test_the_same_model_and_transform_are_the_same_version(home: Path) -> None:
    versions = []
    for _ in range(2):
        transform = prepared()
        versions.append(
            kfnb.register(model_of(transform), "churn", transform=transform, example=ROWS).version
        )
    other = prepared(CODE.replace("median()", "mean()"))
    versions.append(kfnb.register(model_of(other), "churn", transform=other, example=ROWS).version)
    again = prepared()
    model = model_of(again, ROWS.assign(income=ROWS.income * 2))
    versions.append(kfnb.register(model, "churn", transform=again, example=ROWS).version)
    assert versions == [1, 1, 2, 3]


def test_a_model_without_transform_keeps_rows_of_its_example(home: Path) -> None:
    rows = ROWS[["churn"]].astype(float)
    model = LogisticRegression().fit(rows, ROWS.churn)
    version = kfnb.register(model, "m", example=rows)
    assert version.transform is None
    kept, predictions = kfnb_read_sample(str(version.path())) or ((), ())
    assert (len(kept), list(predictions)) == (100, list(kept.churn))
    assert kfnb_read_sample(str(kfnb.register(model, "m").path())) is None


def test_an_example_that_cannot_be_kept_is_reported_and_the_model_is_registered(home: Path) -> None:
    rows = pd.DataFrame({"p": pd.period_range("2024", periods=4, freq="M"), "x": [0.0, 1.0, 2.0, 3.0]})
    transform = kfnb_Transform("t", "def transform(df):\n    return df[['x']]\n")
    model = LogisticRegression().fit(rows[["x"]], [0, 0, 1, 1])
    with pytest.warns(
        UserWarning, match=r"the example's rows are not kept with the model: column p has the type period"
    ):
        version = kfnb.register(model, "m", transform=transform, example=rows)
    assert not (version.path() / "sample.json").exists()


@pytest.mark.parametrize("kind", ["array", "dicts", "polars"])
def test_rows_may_be_an_array_dicts_or_a_frame_of_polars(home: Path, kind: str) -> None:
    if kind == "array":
        rows: Any = np.arange(600.0).reshape(200, 3)
        body = "    return df[:, :1] * 2\n"
    elif kind == "dicts":
        rows = [{"a": float(index), "text": str(index)} for index in range(200)]
        body = "    return [[row['a'] * 2] for row in df]\n"
    else:
        polars = pytest.importorskip("polars")
        rows = polars.DataFrame({"a": [float(index) for index in range(200)]})
        body = "    return (df.select('a') * 2).to_numpy()\n"
    transform = kfnb_Transform("t", f"def transform(df):\n{body}")
    model = LogisticRegression().fit(transform.transform(rows), [0, 1] * 100)
    version = kfnb.register(model, "m", transform=transform, example=rows)
    kept, predictions = kfnb_read_sample(str(version.path())) or ((), ())
    assert type(kept) is type(rows)
    assert len(kept) == 100
    assert version.transform is not None
    np.testing.assert_array_equal(predictions, version.load().predict(version.transform.transform(kept)))


def test_of_pictures_fewer_rows_are_kept(home: Path) -> None:
    pictures = np.zeros((200, 64, 64, 3), "uint8")
    transform = kfnb_Transform("t", "def transform(df):\n    return df.reshape(len(df), -1)[:, :2]\n")
    model = LogisticRegression().fit(transform.transform(pictures), [0, 1] * 100)
    version = kfnb.register(model, "m", transform=transform, example=pictures)
    kept, _ = kfnb_read_sample(str(version.path())) or ((), ())
    assert kept.shape == (8, 64, 64, 3)


# -- how it comes back ----------------------------------------------------------------------------------------


def test_load_is_the_model_and_transform_the_transform_and_neither_runs_code_unasked(home: Path) -> None:
    transform = prepared(f"import builtins\nbuiltins.kfnb_ran = True\n{CODE}")
    version = kfnb.register(model_of(transform), "churn", transform=transform, example=ROWS)
    del sys.modules["builtins"].kfnb_ran  # type: ignore[attr-defined]
    model, found = version.load(), kfnb.model("churn@1").transform
    assert isinstance(model, LogisticRegression)
    assert found is not None
    assert (repr(found), found.state["median"]) == ("<transform prepare>", 3.0)
    assert not hasattr(sys.modules["builtins"], "kfnb_ran")
    assert model.predict(found.transform(ROWS[:2])).shape == (2,)
    assert sys.modules["builtins"].kfnb_ran  # type: ignore[attr-defined]
    del sys.modules["builtins"].kfnb_ran  # type: ignore[attr-defined]


def test_files_that_were_changed_are_refused(home: Path, tmp_path: Path) -> None:
    transform = prepared()
    version = kfnb.register(model_of(transform), "churn", transform=transform, example=ROWS)
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", str(version.path()), str(copy)], check=True)
    found = kfnb_model_transform(str(copy))
    assert found.transform(ROWS[:1]).shape == (1, 4)
    code = copy / "code/transform.py"
    code.chmod(0o600)
    code.write_text(code.read_text() + "\n")
    with pytest.raises(ValueError, match="code is not what was saved"):
        kfnb_model_transform(str(copy))


def test_states_of_estimators_tables_and_arrays_come_back(home: Path) -> None:
    code = (
        "from sklearn.preprocessing import StandardScaler\n"
        "def fit(df):\n"
        "    return {'scaler': StandardScaler().fit(df[['income']]), 'by': df.groupby('city').income.mean(),\n"
        "            'table': df[['city', 'since']].dropna(), 'array': df.churn.to_numpy(),\n"
        "            'cities': df.city.unique(),\n"
        "            'kind': df.city.astype('category').dtype, 'when': df.since.max(), 'pairs': {('a', 1): 2}}\n"
        "def transform(df, state):\n"
        "    scaled = state['scaler'].transform(df[['income']].fillna(0))[:, 0]\n"
        "    return df.assign(income=scaled, mean=df.city.map(state['by']).fillna(0))[['income', 'mean']]\n"
    )
    transform = prepared(code)
    version = kfnb.register(model_of(transform), "churn", transform=transform, example=ROWS)
    found = version.transform
    assert found is not None
    pd.testing.assert_frame_equal(found.transform(ROWS), transform.transform(ROWS))
    assert isinstance(found.state["scaler"], StandardScaler)
    pd.testing.assert_series_equal(found.state["by"], transform.state["by"])
    pd.testing.assert_frame_equal(found.state["table"], transform.state["table"])
    assert (found.state["kind"], found.state["when"]) == (transform.state["kind"], transform.state["when"])
    assert found.state["pairs"] == {("a", 1): 2}
    assert (
        version.digest
        == kfnb.register(model_of(transform), "churn", transform=transform, example=ROWS).digest
    )


def test_a_version_that_is_copied_has_it_too(home: Path) -> None:
    transform = prepared()
    version = kfnb.register(model_of(transform), "churn", transform=transform, example=ROWS)
    again = kfnb.register(version.path(), "copy")
    assert again.snapshot().transform == version.snapshot().transform
    assert again.transform is not None


def test_its_page_says_how_both_are_used(home: Path) -> None:
    transform = prepared()
    version = kfnb.register(model_of(transform), "churn", transform=transform, example=ROWS)
    text = DISPLAYS[kfnb.ModelVersion].bundle(version)["text/plain"]
    code, _, state = version.snapshot().transform.partition("-")
    assert f"code {code[:12]}, state {state[:12]}" in text
    assert "X = version.transform.transform(df)\n    version.load().predict(X)" in text


# -- what is checked ------------------------------------------------------------------------------------------


def test_one_that_looks_at_its_batch_is_warned_of(home: Path) -> None:
    transform = prepared(
        "# cell prepare, line 2\ndef transform(df):\n    return df[['income']].fillna(df.income.mean())\n"
    )
    with pytest.warns(UserWarning, match="prepare does not make of a row by itself") as warned:
        kfnb.register(model_of(transform), "churn", transform=transform, example=ROWS)
    [text] = [str(one.message) for one in warned]
    assert (
        " there, and nan by itself. The likely cause: mean (cell prepare, line 3) looks at every row" in text
    )
    assert text.endswith("let fit(df) return what it needs as state. Serving refuses that")
    assert warned[0].filename == __file__


def facts_of(version: kfnb.ModelVersion) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((version.path() / "kfnb_model.json").read_text())
    return found


def test_without_an_example_a_model_is_described_by_what_its_transform_was_fitted_on(home: Path) -> None:
    transform = prepared()
    model = model_of(transform)
    transform.transform(ROWS[:7])
    facts = facts_of(kfnb.register(model, "churn", transform=transform))
    given = facts_of(kfnb.register(model, "churn", transform=transform, example=ROWS))
    assert facts == given
    assert facts["sample"]["rows"] == 100


def test_a_transform_that_was_fitted_elsewhere_is_described_by_what_it_transformed_first(home: Path) -> None:
    fitted = prepared()
    model = model_of(fitted)
    loaded = kfnb.register(model, "churn", transform=fitted, example=ROWS).transform
    assert loaded is not None
    other = kfnb.register(model, "never-used", transform=loaded, example=ROWS)
    loaded = kfnb.model(other.ref).transform
    assert loaded is not None
    some = ROWS[20:40]
    loaded.transform(some)
    loaded.transform(ROWS[:1])
    version = kfnb.register(model, "again", transform=loaded)
    rows, _ = kfnb_read_sample(str(version.path())) or ((), ())
    pd.testing.assert_frame_equal(rows, some.reset_index(drop=True))


def test_rows_that_a_transform_was_given_are_not_kept_alive(home: Path) -> None:
    transform = prepared()
    rows = ROWS.copy()
    model = model_of(transform, rows)
    alive = weakref.ref(rows)
    del rows
    gc.collect()
    assert alive() is None
    with pytest.warns(
        UserWarning, match=r"100 rows are left of what prepare was given: serving cannot check"
    ):
        facts = facts_of(kfnb.register(model, "churn", transform=transform))
    assert {one["name"]: one["nullable"] for one in facts["inputs"]} == {
        **dict.fromkeys(["income", "city", "since", "visits"], True),
        "churn": False,
    }
    assert not {"minimum", "maximum", "categories"} & {key for one in facts["inputs"] for key in one}
    assert facts["sample"]["rows"] == 100


def test_a_table_that_was_changed_since_does_not_describe_the_rows(home: Path) -> None:
    transform = prepared()
    rows = ROWS.copy()
    model = model_of(transform, rows)
    rows["risk"] = 1.0
    with pytest.warns(UserWarning, match="rows are left"):
        facts = facts_of(kfnb.register(model, "churn", transform=transform))
    assert [one["name"] for one in facts["inputs"]] == list(ROWS.columns)


def test_rows_that_the_model_does_not_take_are_no_example(home: Path) -> None:
    transform = prepared()
    model = LogisticRegression().fit(transform.fit_transform(ROWS).assign(more=1.0), ROWS.churn)
    with pytest.warns(
        UserWarning, match=r"no example was given, and for what prepare was given, the model does not"
    ):
        version = kfnb.register(model, "churn", transform=transform)
    assert version.signature.inputs == ()


def test_a_transform_that_was_never_used_here_leaves_the_columns_unknown(home: Path) -> None:
    fitted = prepared()
    model = model_of(fitted)
    transform = kfnb.register(model, "churn", transform=fitted).transform
    with pytest.warns(UserWarning, match=r"nothing is known of what prepare takes.*pass example=df"):
        version = kfnb.register(model, "other", transform=transform)
    assert version.signature.inputs == ()
    assert version.transform is not None


@pytest.mark.parametrize(
    ("code", "example", "message"),
    [
        (CODE, ROWS[["city"]], "prepare does not take the example: AttributeError: .*income"),
        ("def transform(df):\n    return df[['churn']]\n", ROWS, "the model does not take the example"),
        (
            OWN,
            ROWS,
            r"state\['own'\]\[0\] is a .*Own, which cannot be saved safely",
        ),
    ],
)
def test_what_cannot_be_saved_is_refused(home: Path, code: str, example: Any, message: str) -> None:
    transform, good = prepared(code), prepared()
    model = model_of(good)
    transform.fit(ROWS)
    with pytest.raises(UsageError, match=message):
        kfnb.register(model, "churn", transform=transform, example=example)


def test_what_is_not_a_fitted_transform_is_refused(home: Path) -> None:
    model = model_of(prepared())
    with pytest.raises(UsageError, match=r"prepare is not fitted: call prepare.fit\(df\)"):
        kfnb.register(model, "churn", transform=prepared(), example=ROWS)
    with pytest.raises(UsageError, match="give the object of a %%kf_transform cell"):
        kfnb.register(model, "churn", transform=StandardScaler(), example=ROWS)
    with pytest.raises(UsageError, match="a transform is registered with a value"):
        kfnb.register("model.skops", "churn", transform=prepared(), example=ROWS)


def test_an_estimator_in_a_state_is_trusted_as_the_model_is(home: Path) -> None:
    code = (
        "import textwrap\nfrom sklearn.preprocessing import FunctionTransformer\n"
        "def fit(df):\n    return FunctionTransformer(textwrap.dedent)\n"
        "def transform(df, state):\n    return df[['income']].fillna(0)\n"
    )
    transform = prepared(code)
    model = model_of(transform)
    with pytest.raises(UsageError, match=r"textwrap.dedent.*trust="):
        kfnb.register(model, "churn", transform=transform, example=ROWS)
    version = kfnb.register(model, "churn", transform=transform, example=ROWS, trust=["textwrap.dedent"])
    assert version.transform is not None
    assert isinstance(version.transform.state, FunctionTransformer)


# -- in a notebook --------------------------------------------------------------------------------------------

CELL = f"%%kf_transform prepare\n{CODE.partition(chr(10))[2]}"
LOAD = """%%kf_component load
import pandas as pd
rows = {"income": [1.0, None, 3.0, 7.0], "city": ["a", "b", None, "c"], "churn": [0, 1, 1, 0]}
df = pd.DataFrame({name: 30 * values for name, values in rows.items()})
"""
TRAIN = """%%kf_component train
from sklearn.linear_model import LogisticRegression
X = prepare.fit_transform(df)
model = LogisticRegression().fit(X, df.churn)
kf.save(model, "churn", transform=prepare, example=df, accuracy=0.9)
"""


@pytest.fixture
def begun(shell: Shell) -> Shell:
    """A notebook with a transform and a table."""
    shell.run(CELL)
    shell.run(LOAD)
    return shell


@pytest.fixture
def notebook(begun: Shell) -> Shell:
    """A notebook that has trained a model too."""
    begun.run(TRAIN)
    begun.run("%kf_pipeline p load train")
    return begun


def test_a_run_registers_the_model_with_the_transform_that_its_step_had(
    notebook: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    run = notebook.submit("p")
    version = kfnb.model("churn@1")
    assert version.run == run.id
    assert version.transform is not None
    assert version.transform.code == notebook["prepare"].code
    assert version.transform.state == notebook["prepare"].state
    here = kfnb.register(notebook["model"], "here", transform=notebook["prepare"], example=notebook["df"])
    assert here.digest == version.digest  # a step writes what the notebook does
    assert run.snapshot().notes == ("registered churn@1 (saved by train)",)


def test_a_step_that_takes_a_fitted_transform_saves_it(begun: Shell) -> None:
    begun.run("%%kf_component fit\nprepare.fit(df)")
    begun.run(
        "%%kf_component learn\nfrom sklearn.linear_model import LogisticRegression\n"
        "m = LogisticRegression().fit(prepare.transform(df), df.churn)\n"
        "kf.save(m, 'second', transform=prepare, example=df)"
    )
    begun.run("%kf_pipeline q load fit learn")
    begun.submit("q")
    version = kfnb.model("second@1")
    assert version.transform is not None
    assert version.transform.state == begun["prepare"].state


def test_a_warning_is_below_the_cell_in_the_log_and_in_the_runs_notes(
    shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run(
        "%%kf_transform prepare\ndef transform(df):\n    return df[['income']].fillna(df.income.mean())"
    )
    shell.run(LOAD)
    shell.run(TRAIN)
    text = "warning: prepare does not make of a row by itself what it makes of it among 100"
    assert text in capsys.readouterr().out
    shell.run("%kf_pipeline p load train")
    run = shell.submit("p")
    assert text in run.logs("train")
    assert text in run.snapshot().notes[0]


def test_the_magic_takes_the_name_of_a_transform(notebook: Shell) -> None:
    version = notebook.run("%kf_register model --name churn --transform prepare --example df")
    assert version.transform is not None
    message = notebook.fails("%kf_register model --name churn --transform prepaer --example df")
    assert "--transform prepaer: unknown name; did you mean prepare?" in message


def test_a_transform_that_a_step_has_under_another_name_is_refused_in_words(begun: Shell) -> None:
    begun.run("%%kf_component hide\nparts = {'prepare': prepare.fit(df)}")
    begun.run(
        "%%kf_component learn\nfrom sklearn.linear_model import LogisticRegression\n"
        "m = LogisticRegression().fit(parts['prepare'].transform(df), df.churn)\n"
        "kf.save(m, 'third', transform=parts['prepare'], example=df)"
    )
    begun.run("%kf_pipeline q load hide learn")
    run = kfnb.submit("q")
    with pytest.raises(kfnb.RunFailed):
        run.wait(120)
    assert "is not a transform that this step reads by its own name" in run.tasks["learn"].error.message
