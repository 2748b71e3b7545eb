"""``kf.save`` in a component: the run registers the model when it has succeeded, and once."""

from __future__ import annotations

import socket
import tempfile
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

import kfnb
from kfnb.capture.embedded.saving import kfnb_model_saver
from kfnb.entities import Artifact
from kfnb.errors import NotFound, UsageError
from kfnb.resources.models import api
from kfnb.resources.models.display import DISPLAYS
from kfnb.settings import settings
from tests.conftest import Shell

TRAIN = """%%kf_component train --param C:float=1.0
from sklearn.linear_model import LogisticRegression
import pandas as pd
X = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0]})
model = LogisticRegression(C=C).fit(X, [0, 0, 1, 1])
kf.save(model, "churn", accuracy=0.5 + C / 10, example=X, data="churn-data@2", description="a try")
"""


@pytest.fixture
def notebook(shell: Shell) -> Shell:
    """A notebook of ann with two versions of data, and a component that saves a model."""
    settings().owner = "ann"
    for number in (1, 2):
        kfnb.add_data("churn-data", pd.DataFrame({"a": [number]}))
    shell.run(TRAIN)
    shell.run("%kf_pipeline churn_pipeline train")
    return shell


def test_a_cell_saves_on_trial_and_registers_nothing(
    notebook: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook.run(TRAIN)
    assert "churn can be saved; a run registers it  accuracy = 0.6" in capsys.readouterr().out
    assert api.registered() == []


def test_a_cell_that_saves_two_models_under_one_name_fails_as_its_step_would(notebook: Shell) -> None:
    twice = TRAIN + "\nkf.save(model, 'churn')"
    message = notebook.fails(twice)
    assert "a model is saved as churn already: give each model of a step its own name" in str(message)
    notebook.run(TRAIN)


def test_a_run_registers_what_its_steps_saved(notebook: Shell) -> None:
    run = notebook.submit("churn_pipeline", C=2.0)
    version = kfnb.model("churn@1")
    assert version.run == run.id
    assert (version.owner, version.metrics, version.description) == ("ann", {"accuracy": 0.7}, "a try")
    assert version.parameters == {"C": 2.0}
    assert (version.data, version.snapshot().metrics_data) == (("churn-data@2",), "churn-data@2")
    source = version.snapshot().source
    assert (source.kind, source.cls, source.task, source.backend) == ("kfp", "pipelinerun", "train", "local")
    assert isinstance(version.load(), LogisticRegression)
    assert run.snapshot().notes == ("registered churn@1 (saved by train)",)


def test_a_comparison_has_the_curves_of_the_tasks_that_made_the_versions(notebook: Shell) -> None:
    notebook.run(TRAIN + "for step in range(3):\n    kf.log_metrics(loss=C / (step + 1), step=step)\n")
    notebook.run("%kf_pipeline churn_pipeline train")
    for number in (1.0, 2.0):
        notebook.submit("churn_pipeline", C=number)
    compared = notebook.run("%kf_models compare churn@1 churn@2")
    drawn = DISPLAYS[type(compared)].bundle(compared)
    assert "Curves" in drawn["text/html"]
    assert "loss" in drawn["text/plain"]
    assert all(f"churn@{number}" in drawn["text/html"].partition("Curves")[2] for number in (1, 2))
    kfnb.run(kfnb.model("churn@1").run).delete()
    compared = notebook.run("%kf_models compare churn@1 churn@2")
    assert "Curves" not in DISPLAYS[type(compared)].bundle(compared)["text/html"]


def test_a_page_says_that_its_run_was_deleted(notebook: Shell) -> None:
    run = notebook.submit("churn_pipeline")
    version = kfnb.model("churn")
    assert "(deleted" not in DISPLAYS[kfnb.ModelVersion].bundle(version)["text/plain"]
    run.delete()
    assert f"{run.id} (deleted" in DISPLAYS[kfnb.ModelVersion].bundle(version)["text/plain"]


def test_two_models_of_a_step_have_two_names() -> None:
    artifact = SimpleNamespace(path=tempfile.mkdtemp(), metadata={})
    save = kfnb_model_saver(artifact)
    model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    save(model, "one")
    save(model, "two")
    with pytest.raises(
        ValueError, match="a model is saved as one already: give each model of a step its own name"
    ):
        save(model, "one")
    assert [one["name"] for one in artifact.metadata["kfnb_models"]] == ["one", "two"]


def test_a_cached_run_registers_nothing_twice_and_another_model_is_the_next_version(notebook: Shell) -> None:
    notebook.submit("churn_pipeline")
    again = notebook.submit("churn_pipeline")
    assert again.tasks["train"].cached
    assert [one.version for one in kfnb.models("churn")] == [1]
    notebook.submit("churn_pipeline", C=3.0)
    assert sorted(one.version for one in kfnb.models("churn")) == [1, 2]


def test_a_run_that_fails_registers_nothing_until_it_is_retried(notebook: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        connects = "import socket\nsocket.create_connection(('127.0.0.1', port)).close()"
        notebook.run(f"%%kf_component check --param port:int={port}\n{connects}")
    notebook.run("%kf_pipeline both train check")
    run = kfnb.submit("both")
    with pytest.raises(kfnb.RunFailed):
        run.wait(120)
    assert api.registered() == []
    with socket.create_server(("127.0.0.1", port)):
        run.retry().wait(120)
    assert [one.version for one in kfnb.models("churn")] == [1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("kf.save(model, 'a/b')", "model name 'a/b'"),
        ("kf.save(model, 'churn', accuracy=float('nan'))", "metric accuracy is nan"),
        ("kf.save(model, 'churn', accuracy='high')", "accuracy must be a number"),
        ("kf.save(model, 'churn', data='churn-data')", "give a version of a data set"),
        ("kf.save({'a': 1}, 'churn')", "dict has no safe format"),
        ("kf.save('churn', model)", r"model name LogisticRegression\(\)"),
        ("kf.save(model, 'churn', data=3)", "data=3: give a version of a data set"),
    ],
)
def test_what_cannot_be_saved_fails_where_it_is_written(shell: Shell, call: str, message: str) -> None:
    shell.run("from sklearn.linear_model import LogisticRegression")
    shell.run("model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])")
    with pytest.raises(UsageError, match=message):
        shell.run(call)


def test_an_artifact_comes_back_as_it_was(shell: Shell) -> None:
    shell.run(
        "%%kf_component make\n"
        "import numpy as np, pandas as pd\n"
        "from sklearn.linear_model import LogisticRegression\n"
        "table = pd.DataFrame({'a': [1, 2]})\n"
        "array = np.arange(6).reshape(2, 3)\n"
        "model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])\n"
        "from sklearn.ensemble import RandomForestClassifier\n"
        "forest = RandomForestClassifier(n_estimators=2).fit([[0.0], [1.0]], [0, 1])\n"
        "anything = {1: {2}}\n"
        "kf.save(model)\n"
    )
    shell.run("%%kf_component use\nprint(table, array, model, forest.predict([[1.0]]), anything)")
    shell.run("%kf_pipeline p make use")
    made = shell.submit("p").artifacts["make"]
    pd.testing.assert_frame_equal(made["table"].load(), pd.DataFrame({"a": [1, 2]}))
    assert np.array_equal(made["array"].load(), np.arange(6).reshape(2, 3))
    assert isinstance(made["model"].load(), LogisticRegression)
    assert isinstance(made["forest"].load(pickle=True), RandomForestClassifier)
    assert isinstance(made["kf_model"].load(), LogisticRegression)
    with pytest.raises(UsageError, match=r"anything is a pickle.*load\(pickle=True\)"):
        made["anything"].load()
    assert made["anything"].load(pickle=True) == {1: {2}}
    assert kfnb.register(made["model"], "m").format == "skops"
    assert api.registered()[0].name == "m"


def test_an_artifact_of_a_run_is_registered_by_its_name(notebook: Shell) -> None:
    run = notebook.submit("churn_pipeline")
    version = notebook.run(f"%kf_register train.kf_model --run {run.id} --name copy")
    assert (version.ref, version.run) == ("copy@1", run.id)
    assert version.digest == kfnb.model("churn").digest
    assert (version.metrics, version.data) == ({"accuracy": 0.6}, ("churn-data@2",))
    assert (version.snapshot().metrics_data, version.description) == ("churn-data@2", "a try")
    message = notebook.fails(f"%kf_register train.nothing --run {run.id} --name copy")
    assert f"run {run.id} has no artifact train.nothing" in message


def test_an_artifact_whose_name_says_pickle_is_not_unpickled(tmp_path) -> None:
    import pickle

    (tmp_path / "x.cloudpickle").write_bytes(pickle.dumps(1))
    with pytest.raises(UsageError, match="is a pickle"):
        Artifact("x", "system.Artifact", str(tmp_path / "x.cloudpickle")).load()


def test_a_model_is_ranked_by_the_data_sets_that_its_run_took(shell: Shell) -> None:
    kfnb.add_data("churn-data", pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "churn": [0, 0, 1, 1]}))
    shell.run("%%kf_component prepare --data churn=churn-data\ntable = churn[['a', 'churn']]")
    shell.run(
        "%%kf_component train\nfrom sklearn.linear_model import LogisticRegression\n"
        "model = LogisticRegression().fit(table[['a']], table['churn'])\nkf.save(model, 'churn', accuracy=1.0)"
    )
    shell.run("%kf_pipeline learning prepare train")
    shell.submit("learning")
    version = kfnb.model("churn@1").snapshot()
    assert (version.data, version.metrics_data) == (("churn-data@1",), "churn-data@1")


def test_a_model_is_made_of_what_its_step_takes_and_measured_on_what_kf_save_names(shell: Shell) -> None:
    for name in ("known", "unseen"):
        kfnb.add_data(name, pd.DataFrame({"a": [0.0, 1.0], "y": [0, 1], "of": [name, name]}))
    shell.run(
        "%%kf_component train --data known=known@1 --data unseen=unseen@1\n"
        "from sklearn.linear_model import LogisticRegression\n"
        "model = LogisticRegression().fit(known[['a']], known['y'])\n"
        "kf.save(model, 'churn', accuracy=model.score(unseen[['a']], unseen['y']), data='unseen@1')"
    )
    shell.run("%kf_pipeline learning train")
    run = shell.submit("learning")
    by_hand = kfnb.register(run.artifacts["train"]["kf_model"], "by-hand", run=run)
    for version in (kfnb.model("churn@1"), by_hand):
        assert version.data == ("known@1", "unseen@1")
        assert list(version.measured) == ["unseen@1"]


# -- data that does not exist ---------------------------------------------------------------------------------------


def saving(shell: Shell, data: str, cell: str = "saves") -> None:
    shell.run(
        f"%%kf_component {cell} --param data={data!r}\n"
        "from sklearn.linear_model import LogisticRegression\n"
        "kf.save(LogisticRegression().fit([[0.0], [1.0]], [0, 1]), 'churn', accuracy=0.5, data=data)"
    )
    shell.run(f"%kf_pipeline {cell}_pipeline {cell}")


def test_a_cell_refuses_data_that_does_not_exist(notebook: Shell) -> None:
    with pytest.raises(NotFound, match=r"unknown version churn-data@9; churn-data has versions 1 to 2"):
        notebook.run("kf.save(model, 'churn', data='churn-data@9')")
    with pytest.raises(NotFound, match=r"unknown data set churn-dta; did you mean churn-data\?"):
        notebook.run("kf.save(model, 'churn', data='churn-dta@1')")


def test_a_run_says_that_the_data_does_not_exist_and_does_not_record_it(notebook: Shell) -> None:
    saving(notebook, "churn-data@2")
    run = notebook.submit("saves_pipeline", data="churn-data@9")
    [note] = run.snapshot().notes
    assert note.startswith(
        "registered churn@1 (saved by saves); without data=churn-data@9, which does not exist:"
        " unknown version churn-data@9; churn-data has versions 1 to 2"
    )
    version = kfnb.model("churn@1").snapshot()
    assert (version.data, version.metrics_data, version.metrics) == ((), "", {"accuracy": 0.5})


def test_a_run_whose_data_store_cannot_be_read_says_so(notebook: Shell) -> None:
    saving(notebook, "churn-data@2")
    settings().data_store = "s3://bucket/data?endpoint=http://127.0.0.1:9&region=x"
    [note] = notebook.submit("saves_pipeline").snapshot().notes
    assert "cannot check that data=churn-data@2 exists: " in note
    assert kfnb.model("churn@1").data == ("churn-data@2",)


# -- what made it ---------------------------------------------------------------------------------------------------

LOOP = """%%kf_pipeline sweep
take()
with dsl.ParallelFor([1.0, 2.0]) as C:
    train(C=C)
"""


def test_each_iteration_of_a_loop_is_linked_to_its_own_model(shell: Shell) -> None:
    for number in (1, 2):
        kfnb.add_data("churn-data", pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "churn": [0, 0, 1, number]}))
    shell.run("%%kf_component take --data churn=churn-data@1\ntable = churn.assign(churn=[0, 0, 1, 1])")
    shell.run(
        "%%kf_component train --param C:float=1.0\n"
        "from sklearn.linear_model import LogisticRegression\n"
        "model = LogisticRegression(C=C).fit(table[['a']], table['churn'])\nkf.save(model, 'churn', accuracy=C / 10)"
    )
    shell.run(LOOP)
    run = shell.submit("sweep")
    versions = {one.parameters["C"]: one for one in map(kfnb.model, ("churn@1", "churn@2"))}
    tasks = {C: version.snapshot().source.task for C, version in versions.items()}
    assert tasks == {1.0: "for-loop-2/0/train", 2.0: "for-loop-2/1/train"}
    assert sorted(run.snapshot().notes) == sorted(
        f"registered {versions[C].ref} (saved by {task})" for C, task in tasks.items()
    )
    for c, version in versions.items():
        lineage = version.lineage()
        above = {one for one in lineage.above if "/train" in one}
        assert above == {f"{run.id}/{tasks[c]}"}
        assert lineage.data == ("churn-data@1",)


def test_a_version_has_the_digest_of_the_code_that_made_it(notebook: Shell) -> None:
    run = notebook.submit("churn_pipeline")
    saved = kfnb.model("churn").snapshot().code
    copied = notebook.run(f"%kf_register train.kf_model --run {run.id} --name copy").snapshot()
    assert (copied.code, copied.source.task) == (saved, "train")
    assert len(saved) == 64
    notebook.submit("churn_pipeline", C=3.0)
    assert kfnb.model("churn@2").snapshot().code == saved, "other arguments are the same code"
    notebook.run(TRAIN.replace("0.5 + C", "0.6 + C"))
    notebook.run("%kf_pipeline churn_pipeline train")
    notebook.submit("churn_pipeline", C=4.0)
    assert kfnb.model("churn@3").snapshot().code not in (saved, "")
    assert kfnb.register(run.artifacts["train"]["kf_model"].load(), "alone").snapshot().code == ""
