"""Versions of data sets and of models, as their stores and registries keep them, in the lineage of runs."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from homes import Step, digest, write_run

import kfnb
from kfnb import settings
from kfnb.commands.display import as_json, bundle
from kfnb.entities import Artifact
from kfnb.errors import BackendError, NotFound, UsageError
from kfnb.resources.lineage import api
from kfnb.resources.models.api import rollback

RUN, OTHER = "261130-080000-aaaa", "261130-090000-bbbb"


@pytest.fixture
def raw(tmp_path):
    file = tmp_path / "raw.csv"
    file.write_text("a,b\n1,2\n")
    return file


ONNX = "\x08\x08\x12"
"""What a file of ONNX begins with."""


def artifact_at(path: Path, type: str) -> Artifact:
    return Artifact(path.name, type, str(path), {}, digest(path.read_text()))


def train(home, raw, run=RUN, text="weights") -> Path:
    """A run that trains a model on a file, which is then a file of ours."""
    file = home / f"{run}.onnx"
    home.mkdir(exist_ok=True)
    file.write_text(f"{ONNX}{text}")
    model = artifact_at(file, "system.Model")
    write_run(
        home,
        run,
        Step("load", takes={"raw": artifact_at(raw, "system.Dataset")}, makes={"df": f"df {run}"}),
        Step("train", takes={"df": f"df {run}"}, makes={"model": model}),
        Step("report", takes={"model": model}),
    )
    return file


def test_which_models_are_made_of_a_data_version_and_which_data_is_behind_the_champion(home, raw):
    kfnb.add_data("churn-data", raw)
    raw.write_text("a,b\n3,4\n")
    kfnb.add_data("churn-data", raw)
    model = train(home, raw)
    kfnb.register(model, "churn", run=RUN, alias="champion")
    assert kfnb.lineage("churn@champion").data == ("churn-data@2",)
    assert kfnb.lineage("churn-data@2").models == ("churn@1",)
    assert kfnb.lineage("churn-data@1").models == ()
    assert kfnb.lineage("churn-data").ref == "churn-data"
    assert kfnb.lineage("churn").subjects == kfnb.lineage(kfnb.model("churn@1")).subjects
    assert kfnb.model("churn@1").lineage() == kfnb.lineage("churn@1")
    assert kfnb.lineage(kfnb.dataset("churn-data@2")).models == ("churn@1",)


def test_a_data_set_and_a_model_may_have_one_name(home, raw):
    data = kfnb.add_data("churn", raw)
    version = kfnb.register(train(home, raw), "churn", run=RUN)
    assert kfnb.lineage(version).data == ("churn@1",)
    assert kfnb.lineage(data).models == ("churn@1",)
    with pytest.raises(UsageError, match="write data:churn@1 or model:churn@1"):
        kfnb.lineage("churn@1")


def test_a_model_whose_record_names_its_data_needs_no_run(home, raw, tmp_path):
    kfnb.add_data("churn-data", raw)
    (tmp_path / "m.onnx").write_text(f"{ONNX}weights")
    kfnb.register(tmp_path / "m.onnx", "churn", data="churn-data@1")
    assert kfnb.lineage("churn@1").data == ("churn-data@1",)
    assert kfnb.lineage("churn-data@1").models == ("churn@1",)


def test_an_alias_that_moved_names_the_other_version_at_once(home, raw):
    first = kfnb.register(train(home, raw, RUN, "one"), "churn", run=RUN, alias="champion")
    second = kfnb.register(train(home, raw, OTHER, "two"), "churn", run=OTHER)
    assert kfnb.lineage("churn@champion").subjects == kfnb.lineage(first).subjects
    assert kfnb.lineage("churn").subjects == kfnb.lineage(second).subjects
    second.promote()
    assert kfnb.lineage("churn@champion").subjects == kfnb.lineage(second).subjects
    rollback("churn")
    assert kfnb.lineage("churn@champion").subjects == kfnb.lineage(first).subjects
    before = [as_json(kfnb.lineage(ref)) for ref in ("churn@1", "churn@2", "churn")]
    api.rebuild_catalog()
    assert [as_json(kfnb.lineage(ref)) for ref in ("churn@1", "churn@2", "churn")] == before


def test_a_folder_is_met_by_its_files(home, tmp_path):
    folder = tmp_path / "images"
    (folder / "b").mkdir(parents=True)
    (folder / "b" / "2.png").write_text("two")
    (folder / "b-1.png").write_text("one")
    kfnb.add_data("images", folder)
    from kfnb.artifacts.digests import Digests

    taken = Artifact("images", "system.Dataset", "/elsewhere", {}, Digests().content(folder))
    write_run(home, RUN, Step("train", takes={"images": taken}))
    assert kfnb.lineage(RUN).data == ("images@1",)


def test_the_same_table_is_the_same_content_by_whichever_name(home):
    import pandas as pd

    kfnb.add_data("one", pd.DataFrame({"a": [1, 2]}))
    kfnb.add_data("two", pd.DataFrame({"a": [1, 2]}))
    assert kfnb.lineage("one@1").subjects == kfnb.lineage("two@1").subjects
    (node,) = kfnb.lineage("one@1").nodes
    assert node.refs == ("one@1", "one", "one@latest", "two@1", "two", "two@latest")


def test_the_versions_of_another_store_are_those_of_the_lineage_after_it_was_chosen(
    home, raw, tmp_path, monkeypatch
):
    kfnb.add_data("churn-data", raw)
    assert kfnb.lineage("churn-data@1")
    monkeypatch.setenv("KFNB_DATA_STORE", str(tmp_path / "other"))
    settings.reset()
    with pytest.raises(NotFound):
        kfnb.lineage("churn-data@1")
    raw.write_text("other")
    kfnb.add_data("churn-data", raw)
    assert kfnb.lineage("churn-data@1").subjects == kfnb.lineage(raw).subjects


def test_a_store_that_cannot_be_read_is_noted_and_what_was_known_of_it_stays(home, raw):
    kfnb.add_data("churn-data", raw)
    kfnb.register(train(home, raw), "churn", run=RUN)
    assert kfnb.lineage("churn@1").data == ("churn-data@1",)
    shutil.rmtree(home / "data" / "versions")
    (home / "data" / "versions").write_text("not a folder")
    (home / "registry" / "registry.db").write_text("damaged")
    found = kfnb.lineage("churn@1")
    assert found.data == ("churn-data@1",)
    assert [note.split(":")[0] for note in found.notes] == [
        "datasets cannot be read",
        "models cannot be read",
    ]
    assert "models cannot be read" in bundle(found)["text/plain"]


def test_a_question_creates_no_registry_and_no_store(home):
    with pytest.raises(NotFound):
        kfnb.lineage("churn@1")
    assert not (home / "registry").exists()
    assert not (home / "data").exists()


def test_a_damaged_record_is_left_out(home, raw):
    kfnb.add_data("churn-data", raw)
    raw.write_text("second")
    kfnb.add_data("churn-data", raw)
    record = home / "data" / "versions" / "churn-data" / "000001.json"
    record.chmod(0o600)
    record.write_text("{")
    from kfnb.resources.datasets import location

    location._stores.clear()  # another process, which has read no record yet
    assert kfnb.lineage("churn-data@2").subjects
    with pytest.raises(NotFound, match="unknown reference churn-data@1"):
        kfnb.lineage("churn-data@1")


@pytest.mark.slow
def test_a_pipeline_that_takes_a_data_version_and_saves_a_model(shell, home, tmp_path):
    import pandas as pd

    shell.ip.user_ns["df"] = pd.DataFrame(
        {"a": [float(n) for n in range(50)], "y": [n % 2 for n in range(50)]}
    )
    shell.run("%kf_data add churn-data df")
    shell.run(
        "%%kf_component train --data churn=churn-data@1\n"
        "from sklearn.linear_model import LogisticRegression\n"
        "model = LogisticRegression().fit(churn[['a']], churn.y)\n"
        "kf.save(model, name='churn', accuracy=0.9)"
    )
    shell.run("%kf_pipeline churn_pipeline train")
    run = shell.submit("churn_pipeline")
    assert kfnb.lineage("churn@1").data == ("churn-data@1",)
    assert kfnb.lineage("churn-data@1").models == ("churn@1",)
    assert kfnb.lineage("churn@1").runs == (run.id,)
    assert kfnb.lineage(run).data == ("churn-data@1",)


def test_a_picture_leaves_out_what_the_run_shows_step_by_step(home, raw):
    kfnb.add_data("churn-data", raw)
    model = train(home, raw)
    kfnb.register(model, "churn", run=RUN, data="churn-data@1")
    found = kfnb.lineage("churn@1")
    data, subject = (next(node.id for node in found.nodes if node.kind == kind) for kind in ("data", "model"))
    assert ("", True) in {(edge.name, (edge.source, edge.target) == (data, subject)) for edge in found.edges}
    assert bundle(found)["text/plain"].count("churn-data@1") == 2  # in the title and in the tree
    shutil.rmtree(home / "runs")
    alone = bundle(kfnb.lineage("churn@1"))["text/plain"]
    assert alone.count("churn-data@1") == 2


def test_a_run_did_not_make_the_data_that_it_took_nor_the_models_of_others(shell):
    kfnb.add_data("churn-data", pd.DataFrame({"a": [0.0, 1.0], "y": [0, 1]}))
    shell.run(
        "%%kf_component train --data churn=churn-data@1 --param C:float=1.0\n"
        "from sklearn.linear_model import LogisticRegression\n"
        "kf.save(LogisticRegression(C=C).fit(churn[['a']], churn['y']), 'churn', accuracy=1.0)"
    )
    shell.run("%kf_pipeline learning train")
    first, second = shell.submit("learning", C=1.0), shell.submit("learning", C=2.0)
    assert kfnb.lineage(first).models == ("churn@1",)
    assert kfnb.lineage(second).models == ("churn@2",)
    assert kfnb.lineage(first).data == ("churn-data@1",)
    assert kfnb.lineage("churn-data@1").models == ("churn@1", "churn@2")
    shell.ip.user_ns["first"] = first
    assert shell.run("%kf_lineage first/train").subjects == (f"{first.id}/train",)
    text = bundle(kfnb.lineage("churn-data@1"))["text/plain"]
    assert "kf_model" not in text  # what it became is there
    assert text.count("churn@1") == 2


def test_each_version_has_its_own_aliases(home, raw):
    model = train(home, raw)
    kfnb.register(model, "one", run=RUN, alias="champion")
    kfnb.register(model, "two", run=RUN)
    assert "one@1 (champion), two@1" in bundle(kfnb.lineage(f"{RUN}/train"))["text/plain"]


class ClusterVersion:
    """A version of the cluster's registry, as far as lineage asks."""

    ref, backend = "churn@1", "kubeflow"


ClusterVersion.__name__ = "ModelVersion"


@pytest.mark.parametrize(
    "ref", ["kubeflow:churn@1", "kubeflow:churn@champion", "kubeflow:model:churn", ClusterVersion()]
)
def test_a_version_of_the_clusters_registry_is_not_answered_with_one_of_this_home(home, raw, ref):
    kfnb.register(train(home, raw), "churn", run=RUN)
    with pytest.raises(BackendError, match="no model registry of Kubeflow is configured"):
        kfnb.lineage(ref)


def test_a_reference_may_name_this_home(home, raw):
    kfnb.add_data("churn-data", raw)
    version = kfnb.register(train(home, raw), "churn", run=RUN)
    for ref in ("local:churn@1", "model:churn@1", "local:model:churn", version):
        assert kfnb.lineage(ref).subjects == kfnb.lineage("churn@1").subjects
    assert kfnb.lineage(f"local:{RUN}/train") == kfnb.lineage(f"{RUN}/train")
    with pytest.raises(NotFound, match="unknown reference data:churn@1"):
        kfnb.lineage("data:churn@1")


def test_a_name_of_the_notebook_is_taken_only_if_it_is_a_handle(shell, home, raw):
    kfnb.register(train(home, raw), "churn", run=RUN)
    shell.ip.user_ns["churn"] = pd.DataFrame({"a": [1]})
    assert shell.ip.run_line_magic("kf_lineage", "churn").ref == "churn"
    shell.ip.user_ns["mine"] = kfnb.model("churn")
    assert shell.ip.run_line_magic("kf_lineage", "mine").ref == "churn@1"


def test_a_store_that_was_removed_and_made_anew_has_its_new_content_in_the_lineage(home, raw):
    kfnb.add_data("churn-data", raw)
    before = kfnb.lineage("churn-data@1").subjects
    shutil.rmtree(home / "data")
    raw.write_text("other")
    kfnb.add_data("churn-data", raw)
    assert kfnb.lineage("churn-data@1").subjects != before
    assert kfnb.lineage("churn-data@1").subjects == kfnb.lineage(raw).subjects


def test_a_registry_that_was_removed_and_made_anew_has_its_new_content_in_the_lineage(home, raw):
    kfnb.register(train(home, raw, text="one"), "churn")
    before = kfnb.lineage("churn@1").subjects
    shutil.rmtree(home / "registry")
    kfnb.register(train(home, raw, text="two"), "churn")
    assert kfnb.lineage("churn@1").subjects != before


def test_a_data_set_may_be_called_by_a_number_and_versions_sort_by_theirs(home, raw):
    for number in range(1, 12):
        raw.write_text(f"{number}")
        kfnb.add_data("2024", raw)
    model = home / "m.onnx"
    model.write_text(f"{ONNX}weights")
    kfnb.register(model, "churn", data=["2024@2", "2024@11"])
    assert kfnb.lineage("churn@1").data == ("2024@2", "2024@11")
    assert "2024@11" in bundle(kfnb.lineage("churn@1"))["text/plain"]


def test_an_address_of_32_characters_is_that_address(home):
    uri = "s3://mlpipeline/artifacts/model1"
    assert len(uri) == 32
    write_run(home, RUN, Step("deploy", takes={"model": Artifact("model", "system.Model", uri)}))
    assert uri in {node.id for node in kfnb.lineage(RUN).nodes}
    assert kfnb.lineage(uri).below
