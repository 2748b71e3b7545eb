"""Models are registered, loaded, promoted and rolled back by the public functions, magics and verbs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

import kfnb
from kfnb.cli import main
from kfnb.commands.display import bundle
from kfnb.errors import BackendError, Conflict, UsageError
from kfnb.resources.models import api
from kfnb.resources.models.model import ModelState
from kfnb.settings import settings
from tests.conftest import Shell
from tests.ipython.test_completion import complete

X = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "b": [1.0, 0.0, 1.0, 0.0]})
Y = [0, 0, 1, 1]


def trained(c: float = 1.0) -> LogisticRegression:
    return LogisticRegression(C=c).fit(X, Y)


@pytest.fixture(autouse=True)
def _home(tmp_path: Path) -> Iterator[None]:
    before = settings().home, settings().owner
    settings().home, settings().owner = str(tmp_path / "home"), "ann"
    for number in (1, 2):
        kfnb.add_data("churn-data", pd.DataFrame({"a": [number]}))
    yield
    settings().home, settings().owner = before


def churn(count: int = 1) -> list[kfnb.ModelVersion]:
    return [
        kfnb.register(trained(c), "churn", metrics={"accuracy": 0.8 + c / 100}, data="churn-data@1")
        for c in range(1, count + 1)
    ]


def test_a_model_is_registered_and_comes_back() -> None:
    version = kfnb.register(
        trained(),
        "churn",
        metrics={"accuracy": np.float64(0.9)},
        parameters={"C": 1.0},
        data="churn-data@2",
        alias="champion",
        description="the first",
        tags={"team": "blue"},
        example=X,
    )
    assert version.ref == "churn@1"
    assert (version.owner, version.format, version.state) == ("ann", "skops", ModelState.LIVE)
    assert (version.data, version.snapshot().metrics_data) == (("churn-data@2",), "churn-data@2")
    assert version.packages["scikit-learn"]
    back = kfnb.model("churn@champion")
    assert back == version
    assert back.metrics == {"accuracy": 0.9}
    assert (back.load().predict(X) == trained().predict(X)).all()
    assert kfnb.model("churn") == kfnb.model("churn@1") == kfnb.model("local:churn@latest") == version
    assert [one.name for one in version.signature.inputs] == ["a", "b"]


def test_the_same_model_is_the_same_version_and_another_one_is_the_next() -> None:
    assert [kfnb.register(trained(C), "churn").version for C in (1.0, 2.0, 1.0, 3.0)] == [1, 2, 1, 3]


def test_a_file_and_a_model_folder_are_registered_as_they_are(tmp_path: Path) -> None:
    first = kfnb.register(trained(), "churn")
    assert kfnb.register(first.path(), "copy").digest == first.digest
    assert kfnb.register(str(Path(first.uri) / "model.skops"), "file").load().predict(X).tolist() == Y
    (tmp_path / "model.xyz").write_text("?")
    with pytest.raises(UsageError, match=r"unknown file extension .xyz; known are .skops"):
        kfnb.register(tmp_path / "model.xyz", "churn")
    for ending in ("skops", "ubj", "txt", "safetensors", "keras", "onnx"):
        (tmp_path / f"junk.{ending}").write_text("hello")
        with pytest.raises(UsageError, match="is not a file of the format"):
            kfnb.register(tmp_path / f"junk.{ending}", "churn")
    with pytest.raises(UsageError, match="no such file or folder"):
        kfnb.register(tmp_path / "nothing.skops", "churn")
    with pytest.raises(UsageError, match="is not a model folder"):
        kfnb.register(tmp_path, "churn")


def test_aliases_are_promoted_and_rolled_back_and_the_history_tells() -> None:
    one, two, three = churn(3)
    one.promote(because="first")
    settings().owner = "bob"
    two, three = (kfnb.model(one.ref) for one in (two, three))
    two.promote("champion", "better")
    three.promote()
    assert kfnb.model("churn@champion") == three
    for expected in (two, one):
        api.rollback("churn", because="errors")
        assert kfnb.model("churn@champion") == expected
    with pytest.raises(UsageError, match="nothing to roll back: churn@1 is the first version"):
        api.rollback("churn")
    assert [(c.from_version, c.to_version, c.by, c.because) for c in api.history("churn")] == [
        (2, 1, "bob", "rollback: errors"),
        (3, 2, "bob", "rollback: errors"),
        (2, 3, "bob", ""),
        (1, 2, "bob", "better"),
        (None, 1, "ann", "first"),
    ]
    assert len(one.history) == 3
    three.promote()
    api.rollback("churn")
    assert kfnb.model("churn@champion") == one


def test_a_promotion_is_shown_as_its_history_is() -> None:
    [one] = churn(1)
    change = one.promote(because=5)  # type: ignore[arg-type]
    assert change == one.history[0]
    assert "churn@champion" in bundle(change)["text/plain"]


def test_parameters_of_numpy_are_kept_as_numbers() -> None:
    given = {"trees": np.int64(5), "rates": np.array([0.1, 0.2]), "file": Path("x.csv"), "deep": [None, True]}
    version = kfnb.register(trained(), "churn", parameters=given)
    assert version.parameters == {"trees": 5, "rates": [0.1, 0.2], "file": "x.csv", "deep": [None, True]}


def test_an_archived_version_is_left_out_and_not_promoted() -> None:
    one, two = churn(2)
    one.archive()
    assert [entry.ref for entry in kfnb.models()] == ["churn@2"]
    assert {entry.ref for entry in api.models(archived=True)} == {"churn@1", "churn@2"}
    with pytest.raises(UsageError, match=r"churn@1 is archived: restore it first"):
        kfnb.model("churn@1").promote()
    two.archive()
    with pytest.raises(UsageError, match="all versions of churn are archived"):
        kfnb.model("churn")
    one.restore()
    assert kfnb.model("churn") == one


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "a/b"}, "model name 'a/b'.*did you mean a-b"),
        ({"name": "Churn"}, "did you mean churn"),
        ({"alias": "7"}, "alias '7' is a number, and numbers are versions"),
        ({"metrics": {"accuracy": float("nan")}}, "metric accuracy is nan: a metric must be a finite number"),
        ({"metrics": {"accuracy": "high"}}, "metric accuracy is 'high'"),
        ({"metrics": {"ok": True}}, "metric ok is True"),
        ({"metrics": {"a": 10**400}}, "metric a is inf: a metric must be a finite number"),
        ({"metrics": "acc"}, "metrics='acc': give numbers by name"),
        ({"metrics": [1]}, r"metrics=\[1\]: give numbers by name"),
        ({"parameters": [1]}, r"parameters=\[1\]: give values by name"),
        ({"tags": ["a"]}, r"tags=\['a'\]: give texts by name"),
        ({"name": None}, "model name None: give a text"),
        ({"alias": 5}, "alias 5: give a text"),
        ({"alias": "Champion"}, "use lower-case letters"),
        ({"data": "nope@1"}, "unknown data set nope"),
        ({"data": "churn-data@77"}, "unknown version churn-data@77; churn-data has versions 1"),
        ({"data": "churn-data"}, "give a version of a data set; such as churn-data@2"),
        ({"model": 3}, "3 is not a model"),
        ({"example": X.rename(columns={"a": "c"})}, "the model does not take the example"),
        ({"example": X[:0]}, "the example has no rows"),
        ({"example": []}, "the example has no rows"),
        ({"example": "abc"}, "the example is a str; give a DataFrame or an array"),
        ({"example": {"a": 1}}, "the example is a dict; give a DataFrame or an array"),
        ({"model": {"a": 1}}, "dict has no safe format; pass pickle=True"),
        ({"model": {"lock": threading.Lock()}, "pickle": True}, "the model cannot be saved: .*pickle"),
        ({"run": "000000-nothing"}, "000000-nothing"),
    ],
)
def test_bad_input_is_one_message_and_nothing_is_kept(arguments: dict[str, Any], message: str) -> None:
    given = {"model": trained(), "name": "churn", **arguments}
    with pytest.raises((UsageError, BackendError), match=message):
        kfnb.register(**given)
    assert api.registered() == []


def test_a_model_that_is_not_fitted_is_one_message() -> None:
    xgboost = pytest.importorskip("xgboost")
    with pytest.raises(UsageError, match="the model cannot be saved: need to call fit"):
        kfnb.register(xgboost.XGBClassifier(), "churn")
    assert api.registered() == []


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("churm", "unknown model churm; did you mean churn"),
        ("churn@9", "unknown version churn@9; churn has 1, 2"),
        ("churn@champoin", "churn has no alias champoin; did you mean champion"),
        ("churn@0", "versions are numbers from 1"),
        ("churn@-1", "versions are numbers from 1"),
        ("a/b@1", "model name"),
        (None, "None is not a model"),
        (5, "5 is not a model"),
    ],
)
def test_a_reference_to_nothing_says_what_there_is(reference: str, message: str) -> None:
    churn(2)[0].promote()
    with pytest.raises(UsageError, match=message):
        kfnb.model(reference)


def test_who_promotes_after_another_user_did_is_told_by_whom() -> None:
    one, two, three = churn(3)
    one.promote()
    seen = kfnb.model("churn@3")
    settings().owner = "bob"
    kfnb.model("churn@2").promote(because="faster")
    settings().owner = "ann"
    with pytest.raises(Conflict, match=r"bob moved churn@champion to version 2 at .* because 'faster'"):
        seen.promote(because="mine")
    assert kfnb.model("churn@champion") == two
    seen.promote(because="I know")
    assert kfnb.model("churn@champion") == three


def test_a_user_who_moved_the_alias_by_another_handle_is_not_refused() -> None:
    one, two = churn(2)
    kfnb.model("churn@1").promote()
    two.promote()
    one.promote()
    assert kfnb.model("churn@champion") == one


def test_the_version_that_an_alias_must_still_name_can_be_given() -> None:
    one, _, three = churn(3)
    one.promote()
    with pytest.raises(Conflict, match="it was expected to name version 2, and nothing was changed"):
        three.promote(expected=2)
    three.promote(expected=1)
    assert kfnb.model("churn@champion") == three


def test_a_promotion_whose_reason_reads_like_a_rollback_is_none() -> None:
    one, two, three, four = churn(4)
    for version in (one, two, three):
        version.promote()
    two.promote(because="rollback: 3 is slow")
    four.promote()
    assert api.rollback("churn").to_version == 2
    assert api.rollback("churn").to_version == 3


def test_parameters_and_metrics_of_numpy_are_kept_as_plain_numbers() -> None:
    given = {
        "C": np.float64(0.5),
        "n": np.int64(3),
        "grid": np.arange(2),
        "kind": LogisticRegression,
        "x": (1, None),
    }
    version = kfnb.register(trained(), "churn", parameters=given)
    assert version.parameters == {
        "C": 0.5,
        "n": 3,
        "grid": [0, 1],
        "kind": str(LogisticRegression),
        "x": [1, None],
    }
    with pytest.raises(UsageError, match="parameters=3: give values by name"):
        kfnb.register(trained(), "churn", parameters=3)  # type: ignore[arg-type]


def test_a_package_of_another_version_is_told_when_a_model_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    version = kfnb.register(trained(), "churn")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        version.load()
    monkeypatch.setattr(
        "kfnb.resources.models.environment._installed", lambda name: "" if name == "skops" else "9.9"
    )
    with pytest.warns(UserWarning, match=r"churn@1 was saved with .* \(here 9.9\), skops .*not"):
        version.load()


def test_a_pickle_has_to_be_allowed_twice() -> None:
    version = kfnb.register({"weights": [1]}, "churn", pickle=True)
    with pytest.raises(UsageError, match="churn@1 cannot be loaded: the model is a pickle"):
        version.load()
    assert version.load(pickle=True) == {"weights": [1]}


def test_a_damaged_model_is_not_loaded() -> None:
    version = kfnb.register(trained(), "churn")
    file = Path(version.uri) / "model.skops"
    file.chmod(0o600)
    file.write_bytes(b"PK")
    with pytest.raises(BackendError, match="was changed on disk since it was registered"):
        version.load()


@pytest.mark.parametrize("lost", [False, True])
def test_a_damaged_model_is_repaired_by_registering_it_again(lost: bool) -> None:
    version = kfnb.register(trained(), "churn")
    file = Path(version.uri) / "model.skops"
    file.chmod(0o600)
    file.unlink() if lost else file.write_bytes(b"PK")
    assert kfnb.register(trained(), "churn").ref == "churn@1"
    assert version.load().predict(X).tolist() == Y
    assert not list(Path(version.uri).parents[2].glob(".draft-*"))


def test_python_runs_the_command_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kfnb", "--version"], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == f"kfnb {kfnb.__version__}"


def test_two_users_share_one_folder(tmp_path: Path) -> None:
    program = (
        "import kfnb, sys\n"
        "from sklearn.tree import DecisionTreeClassifier\n"
        "model = DecisionTreeClassifier(random_state=0).fit([[0], [1]], [0, 1])\n"
        "kfnb.register(model, 'churn', metrics={'accuracy': 0.95}, data='churn-data@1').promote(because='better')\n"
    )
    settings().registry = str(tmp_path / "shared")
    try:
        churn()[0].promote()
        environment = {**os.environ, "KFNB_REGISTRY": str(tmp_path / "shared"), "KFNB_OWNER": "bob"}
        environment["KFNB_HOME"] = settings().home
        subprocess.run([sys.executable, "-c", program], check=True, env=environment)
        assert [(one.ref, one.owner, one.rank) for one in kfnb.models()] == [
            ("churn@2", "bob", 1),
            ("churn@1", "ann", 2),
        ]
        assert isinstance(kfnb.model("churn@champion").load(), DecisionTreeClassifier)
        api.rollback("churn")
        assert kfnb.model("churn@champion").owner == "ann"
    finally:
        settings().registry = ""


# -- magics and verbs -------------------------------------------------------------------------------------------


@pytest.fixture
def notebook(shell: Shell) -> Shell:
    """A notebook with a trained ``model``, its home and user as in the other tests."""
    settings().owner = "ann"
    kfnb.add_data("d", pd.DataFrame({"a": [1]}))
    shell.run("from sklearn.linear_model import LogisticRegression\nimport pandas as pd")
    shell.run("X = pd.DataFrame({'a': [0., 1., 2., 3.]}); model = LogisticRegression().fit(X, [0, 0, 1, 1])")
    return shell


def test_the_magics_register_rank_promote_and_roll_back(
    notebook: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    first = notebook.run(
        "%kf_register model --name churn --metric accuracy=0.8 --data d@1 --example X -o first"
    )
    assert notebook["first"] is first
    assert first.ref == "churn@1"
    notebook.run("model = LogisticRegression(C=9).fit(X, [0, 0, 1, 1])")
    notebook.run(
        "%kf_register model --name churn --metric accuracy=0.9 --data d@1 --param C=9 --tag reviewed"
    )
    board = notebook.run("%kf_models")
    assert [(one.ref, one.rank) for one in board] == [("churn@2", 1), ("churn@1", 2)]
    assert [one.ref for one in notebook.run("%kf_models churn --by accuracy --minimize")] == [
        "churn@1",
        "churn@2",
    ]
    notebook.run("%kf_models promote churn@1")
    notebook.run('%kf_models promote churn@2 --because "better: 0.9"')
    assert notebook.run("%kf_models show churn@champion").version == 2
    notebook.run("%kf_models rollback churn@champion --because slow")
    history = notebook.run("%kf_models history churn")
    assert [(one.to_version, one.because) for one in history] == [
        (1, "rollback: slow"),
        (2, "better: 0.9"),
        (1, ""),
    ]
    assert [one.ref for one in notebook.run("%kf_models compare churn@1 churn@2").versions] == [
        "churn@1",
        "churn@2",
    ]
    assert notebook.fails("%kf_models promote churn@2 --expected 2").endswith("and nothing was changed")
    notebook.run("%kf_models promote churn@1 --because again")
    assert "churn@champion is churn@1 already: nothing was changed" in capsys.readouterr().out
    assert not notebook.run("%kf_models --namespace team-a")
    notebook.run("%kf_models archive churn@2")
    assert len(notebook.run("%kf_models")) == 1
    notebook.run("%kf_models archive churn@2 --undo")
    assert len(notebook.run("%kf_models")) == 2


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "%kf_register modle --name churn",
            "modle is neither a name of the notebook nor a path; did you mean model?",
        ),
        ("%kf_register ./modle --name churn", "modle: no such file or folder"),
        ("%kf_register model", "--name"),
        ("%kf_register model --name churn --metric accuracy", "--metric accuracy: write --metric NAME=VALUE"),
        ("%kf_register model --name churn --metric accuracy=high", "'high' is not a number"),
        ("%kf_register model --name churn --example Z", "--example Z: unknown name"),
        ("%kf_models compare churn@1", "name two versions or more"),
        ("%kf_models shwo churn@1", "unexpected argument churn@1; did you mean show"),
        (
            "%kf_models --runs --owner ann",
            "owner cannot be combined with runs: runs and trials have no owner",
        ),
        ("%kf_models --backend both", "both"),
        ("%kf_models --maximize --minimize", "exclude each other"),
        ("%kf_models --limit 0", "must be at least 1"),
        ("%kf_models promote churn", "unknown model churn; no model is registered yet"),
        ("%kf_models nothing", "unknown model nothing"),
        ("%kf_models prmote churn", "unexpected argument churn; did you mean promote"),
    ],
)
def test_a_wrong_line_is_one_message(notebook: Shell, line: str, message: str) -> None:
    assert message in notebook.fails(line)


def test_references_aliases_and_metrics_are_completed(notebook: Shell) -> None:
    notebook.run("%kf_register model --name churn --metric accuracy=0.8 --alias stable")
    assert complete(notebook, "%kf_models show churn@")[:2] == ["churn@stable", "churn@1"]
    assert complete(notebook, "%kf_models show ch")[0] == "churn"
    assert "stable" in complete(notebook, "%kf_models promote churn --alias ")
    assert complete(notebook, "%kf_models --by a") == ["accuracy"]
    assert {"churn", "show", "promote", "rollback"} <= set(complete(notebook, "%kf_models "))


def test_the_verbs_do_the_same_and_print_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    churn(2)
    kfnb.model("churn@1").promote()
    capsys.readouterr()
    assert main(["models", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["by"], told["maximize"]) == ("accuracy", True)
    assert [(one["ref"], one["rank"], one["data"]) for one in told["entries"]] == [
        ("churn@2", 1, "churn-data@1"),
        ("churn@1", 2, "churn-data@1"),
    ]
    assert main(["models", "show", "churn@champion", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["ref"], told["aliases"], told["state"]) == ("churn@1", ["champion"], "LIVE")
    assert main(["models", "promote", "churn@2", "--because", "CI"]) == 0
    assert "churn@champion is now churn@2 (was churn@1)" in capsys.readouterr().err
    assert main(["models", "history", "churn", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["because"] == "CI"
    assert main(["register", str(kfnb.model("churn").path()), "--name", "copy", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ref"] == "copy@1"
    assert main(["models", "show", "churm"]) == main(["data", "show", "churm"]) == 1
    assert "did you mean churn" in capsys.readouterr().err
