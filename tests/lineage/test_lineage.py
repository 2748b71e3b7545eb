"""Up to what a thing was made of, and down to where it was used: across runs, by the content of artifacts."""

import json
import random
import shutil

import hypothesis
import pytest
from homes import Records, Step, artifact, churn, digest, write_run
from hypothesis import given
from hypothesis import strategies as st

import kfnb
from kfnb import settings
from kfnb.catalog.records import DATASET, MODEL, ArtifactRecord
from kfnb.commands.display import as_json
from kfnb.errors import NotFound, UsageError
from kfnb.resources.lineage import api
from kfnb.resources.lineage.model import NodeKind

FIRST, SECOND, THIRD = "261130-080000-aaaa", "261130-090000-bbbb", "261130-100000-cccc"


@pytest.fixture
def records(monkeypatch):
    """Versions of data sets and models beside the runs of the home."""
    found = Records()
    plain = api.sources
    monkeypatch.setattr(api, "sources", lambda: [*plain(), found])
    return found


def names(lineage, ids):
    return sorted(lineage.node(id).name for id in ids)


def test_a_task_was_made_of_its_inputs_and_used_for_its_outputs(home):
    churn(home)
    found = kfnb.lineage(f"{FIRST}/train")
    assert names(found, found.above) == ["df of raw", "load", "raw"]
    assert names(found, found.below) == ["evaluate", "model", "report model"]
    assert found.subjects == (f"{FIRST}/train",)
    assert found.node(f"{FIRST}/train").parameters == {"C": 0.5}


def test_a_run_is_all_of_its_tasks(home):
    churn(home)
    found = kfnb.lineage(FIRST)
    assert found.subjects == tuple(f"{FIRST}/{task}" for task in ("evaluate", "load", "train"))
    assert found.runs == (FIRST,)


def test_runs_meet_where_bytes_are_the_same(home):
    write_run(home, FIRST, Step("load", makes={"df": "df"}, takes={"raw": "raw"}))
    write_run(
        home,
        SECOND,
        Step("train", takes={"data": artifact("df", uri="/of/another/run")}, makes={"model": "model"}),
        pipeline="training",
    )
    found = kfnb.lineage(f"{SECOND}/train/model")
    assert names(found, found.above) == ["df", "load", "raw", "train"]
    assert found.runs == (FIRST, SECOND)


def test_what_a_run_made_itself_comes_before_the_same_made_elsewhere(home):
    churn(home, FIRST)
    churn(home, SECOND)
    assert kfnb.lineage(f"{SECOND}/evaluate", down=False).runs == (SECOND,)
    assert kfnb.lineage(digest("model"), down=False).runs == (FIRST, SECOND)


def test_empty_files_are_not_the_same_because_they_are_empty(home):
    for run in (FIRST, SECOND):
        nothing = artifact("", name="log", uri=f"/{run}/log")
        write_run(home, run, Step("write", makes={"log": nothing}), Step("read", takes={"log": nothing}))
    assert kfnb.lineage(f"{FIRST}/read").runs == (FIRST,)


def test_artifacts_without_a_digest_are_the_same_by_their_address(home):
    here = artifact("df", uri="s3://bucket/df")
    unknown = type(here)(here.name, here.type, here.uri)
    write_run(home, FIRST, Step("write", makes={"df": unknown}))
    write_run(home, SECOND, Step("read", takes={"df": unknown}))
    assert kfnb.lineage(f"{SECOND}/read").above == {"s3://bucket/df", f"{FIRST}/write"}
    assert kfnb.lineage("s3://bucket/df").runs == (FIRST, SECOND)


def test_the_models_made_of_a_data_version_are_one_call_and_so_is_the_data_behind_a_model(home, records):
    churn(home)
    records.units = {
        "data": ArtifactRecord(
            "churn-data", DATASET, digest=digest("raw"), names=("churn-data@2", "churn-data")
        ),
        "model": ArtifactRecord(
            "churn",
            MODEL,
            digest=digest("folder"),
            names=("churn@1", "churn@champion"),
            run=FIRST,
            task="train",
        ),
        "other": ArtifactRecord(
            "other", MODEL, digest=digest("other"), names=("other@1",), of={"churn-data@2": ""}
        ),
        "third": ArtifactRecord("third", MODEL, digest=digest("model"), names=("third@4",)),
    }
    assert kfnb.lineage("churn-data@2").models == ("churn@1", "other@1", "third@4")
    for model in ("churn@champion", "churn@1", "other@1", "third@4"):
        assert kfnb.lineage(model).data == ("churn-data@2",)
    assert kfnb.lineage("other@1").runs == ()
    assert kfnb.lineage(FIRST).models == ("churn@1", "third@4")


def test_a_version_is_met_by_its_only_file_too(home, records):
    churn(home)
    record = ArtifactRecord("churn-data", DATASET, digest=digest("manifest"), also=(digest("raw"),))
    records.units = {"data": ArtifactRecord(**{**vars(record), "names": ("churn-data@1",)})}
    assert kfnb.lineage(f"{FIRST}/train/model").data == ("churn-data@1",)
    found = kfnb.lineage("churn-data@1")
    assert names(found, found.below) == ["df of raw", "evaluate", "load", "model", "report model", "train"]
    assert kfnb.lineage(digest("raw")).subjects == found.subjects


def test_a_task_that_only_fetched_a_data_version_did_not_make_it(home, records):
    records.units = {
        "data": ArtifactRecord("churn-data", DATASET, digest=digest("raw"), names=("churn-data@1",))
    }
    write_run(home, FIRST, Step("import", makes={"raw": "raw"}), Step("train", takes={"raw": "raw"}))
    assert kfnb.lineage("churn-data@1").above == frozenset()
    assert names(kfnb.lineage("churn-data@1"), kfnb.lineage("churn-data@1").below) == ["train"]


def test_a_run_that_made_a_model_and_was_deleted_is_named(home, records):
    records.units = {
        "model": ArtifactRecord("churn", MODEL, digest=digest("m"), names=("churn@1",), run=FIRST, task="t")
    }
    folder = churn(home)
    assert kfnb.lineage("churn@1").notes == ()
    shutil.rmtree(folder)
    assert kfnb.lineage("churn@1").notes == (
        f"run {FIRST} is not in this home: it was deleted, or ran elsewhere",
    )


def test_a_model_that_was_saved_in_a_loop_is_met_from_its_task(home, records):
    looped = [Step(f"for-loop-1/{n}/train", takes={"df": f"df {n}"}) for n in range(2)]
    write_run(home, FIRST, Step("retrain", takes={"df": "other"}), *looped)
    record = {"digest": digest("m"), "names": ("churn@1",), "run": FIRST, "task": "train"}
    records.units = {"model": ArtifactRecord("churn", MODEL, **record)}
    found = kfnb.lineage("churn@1")
    assert names(found, found.above) == ["df 0", "df 1", "for-loop-1/0/train", "for-loop-1/1/train"]


def test_a_depth_is_how_many_tasks_are_passed(home):
    steps = [Step(f"step{n}", takes={"x": f"x{n}"}, makes={"x": f"x{n + 1}"}) for n in range(6)]
    write_run(home, FIRST, *steps)
    near = kfnb.lineage(f"{FIRST}/step3", depth=1)
    assert names(near, near.above) == ["step2", "x3"]
    assert names(near, near.below) == ["step4", "x4"]
    assert kfnb.lineage(f"{FIRST}/step3", depth=0).edges == ()
    assert len(kfnb.lineage(f"{FIRST}/step3").nodes) == 13
    content = kfnb.lineage(digest("x3"), depth=1)
    assert names(content, content.above) == ["step2", "x2"]
    with pytest.raises(UsageError, match="0 or more"):
        kfnb.lineage(FIRST, depth=-1)


def test_a_cycle_has_an_end(home):
    write_run(
        home,
        FIRST,
        Step("one", takes={"a": "a"}, makes={"b": "b"}),
        Step("two", takes={"b": "b"}, makes={"a": "a"}),
    )
    found = kfnb.lineage(digest("a"))
    assert found.above == found.below == {node.id for node in found.nodes}
    assert len(found.nodes) == 4


def test_a_file_that_a_step_changed_in_place_is_another_content(home):
    before, after = artifact("before", uri="/same/file"), artifact("after", uri="/same/file")
    write_run(home, FIRST, Step("change", takes={"file": before}, makes={"file": after}))
    found = kfnb.lineage(digest("after"))
    assert names(found, found.above) == ["before", "change"]


def test_tasks_that_failed_or_never_ran_made_nothing_of_what_they_did_not_put_out(home):
    write_run(
        home,
        FIRST,
        Step("train", takes={"df": "df"}, state="FAILED"),
        Step("evaluate", takes={"df": "df"}, state="SKIPPED"),
        state="FAILED",
    )
    found = kfnb.lineage(digest("df"))
    assert names(found, found.below) == ["train"]
    assert found.node(f"{FIRST}/train").state == "FAILED"


def test_a_list_of_artifacts_is_each_of_them(home):
    many = [artifact("one"), artifact("two")]
    write_run(home, FIRST, Step("collect", takes={"models": many}, makes={"best": "best"}))
    found = kfnb.lineage(f"{FIRST}/collect/best")
    assert names(found, found.above) == ["collect", "one", "two"]


def test_a_task_in_a_loop_is_each_of_its_iterations(home):
    write_run(home, FIRST, *(Step(f"for-loop-1/{n}/train", makes={"model": f"model {n}"}) for n in range(2)))
    assert len(kfnb.lineage(f"{FIRST}/train").subjects) == 2
    assert kfnb.lineage(f"{FIRST}/for-loop-1/1/train").subjects == (f"{FIRST}/for-loop-1/1/train",)
    assert len(kfnb.lineage(f"{FIRST}/train/model").subjects) == 2


def test_more_than_a_graph_can_hold_is_cut_and_said(home, monkeypatch):
    monkeypatch.setattr("kfnb.catalog.walk.MOST", 10)
    write_run(
        home, FIRST, *(Step(f"s{n}", takes={"x": f"x{n}"}, makes={"x": f"x{n + 1}"}) for n in range(30))
    )
    found = kfnb.lineage(digest("x0"))
    assert len(found.nodes) < 20
    assert "there is more than is shown" in found.notes[-1]


# -- references --------------------------------------------------------------------------------------------------


def test_a_reference_may_be_a_file_a_digest_or_the_beginning_of_a_run(home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    churn(home)
    (tmp_path / "copy.bin").write_text("model")
    subject = kfnb.lineage(digest("model")).subjects
    for ref in (
        "copy.bin",
        tmp_path / "copy.bin",
        f"sha256:{digest('model')}",
        digest("model")[:10],
        artifact("model"),
    ):
        assert kfnb.lineage(ref).subjects == subject
    assert kfnb.lineage("261130").ref == kfnb.lineage(f"local:{FIRST}").ref == FIRST


def test_what_is_not_known_is_refused_with_what_is_similar(home, tmp_path, records):
    churn(home)
    records.units = {"model": ArtifactRecord("churn", MODEL, digest=digest("m"), names=("churn@1",))}
    for ref, message in {
        "churm@1": "unknown reference churm@1: did you mean churn@1?",
        "churn@9": "unknown reference churn@9: churn has churn@1",
        "elsewhere@1": "unknown reference elsewhere@1: no data set or model is called elsewhere",
        "": "unknown reference : give a run",
        f"{FIRST}/trian": "has no task trian: did you mean train?; the tasks are load, train, evaluate",
        f"{FIRST}/train/modle": "has no artifact modle: did you mean model?",
        "0" * 64: "unknown reference 0000",
        str(tmp_path): "is not an artifact of any run",
    }.items():
        with pytest.raises(NotFound) as caught:
            kfnb.lineage(ref)
        assert message in str(caught.value)


def test_an_ambiguous_reference_is_refused(home, records):
    churn(home, FIRST)
    churn(home, SECOND)
    both = {"digest": digest("x"), "names": ("churn@1",)}
    records.units = {
        "m": ArtifactRecord("churn", MODEL, **both),
        "d": ArtifactRecord("churn", DATASET, **both),
    }
    with pytest.raises(UsageError, match="begins the ids of 2 runs"):
        kfnb.lineage("2611")
    with pytest.raises(UsageError, match="is a data set and a model: write data:churn@1 or model:churn@1"):
        kfnb.lineage("churn@1")
    assert kfnb.lineage("model:churn@1").subjects
    with pytest.raises(UsageError, match="int has no lineage"):
        kfnb.lineage(7)


# -- the index that was built again ------------------------------------------------------------------------------


def test_an_index_that_was_built_again_gives_byte_for_byte_the_same_answers(home, records):
    chosen = random.Random(3)
    contents = [f"content {n}" for n in range(12)]
    refs = [digest(content) for content in contents]
    records.units = {
        f"v{n}": ArtifactRecord("m", MODEL, digest=digest(contents[n]), names=(f"m@{n}",), of={"d@1": ""})
        for n in range(3)
    }
    records.units["d"] = ArtifactRecord("d", DATASET, digest=digest(contents[5]), names=("d@1",))
    for number in range(25):  # the index is refreshed between, in another order than that of a rebuilt one
        run = f"2611{chosen.randrange(10, 30)}-{number:06}-aaaa"
        steps = [
            Step(f"s{n}", {"in": chosen.choice(contents)}, {"out": chosen.choice(contents)}) for n in range(3)
        ]
        write_run(home, run, *steps)
        refs.append(run)
        if number % 3 == 0:
            kfnb.lineage(run)
        if number % 7 == 0:
            shutil.rmtree(home / "runs" / run)
            refs.remove(run)
    before = [as_json(kfnb.lineage(ref)) for ref in (*refs, "m@1", "d@1") if _known(ref)]
    assert len(before) > 20
    api.rebuild_catalog()
    assert [as_json(kfnb.lineage(ref)) for ref in (*refs, "m@1", "d@1") if _known(ref)] == before


def _known(ref):
    try:
        kfnb.lineage(ref)
    except NotFound:
        return False
    return True


@hypothesis.settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=10))
def test_the_graph_is_what_following_every_event_finds(tmp_path_factory, pairs):
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KFNB_HOME", str(home))
        settings.reset()
        write_run(
            home, FIRST, *(Step(f"s{n}", {"a": f"c{a}"}, {"b": f"c{b}"}) for n, (a, b) in enumerate(pairs))
        )
        first = f"{FIRST}/s0"
        found = kfnb.lineage(first)
    settings.reset()
    edges = {(f"c{a}", f"{FIRST}/s{n}") for n, (a, _) in enumerate(pairs)}
    edges |= {(f"{FIRST}/s{n}", f"c{b}") for n, (_, b) in enumerate(pairs)}
    assert _ids(found, found.below) == _closure(first, edges)
    assert _ids(found, found.above) == _closure(first, {(target, source) for source, target in edges})


def _ids(found, ids):
    return {found.node(id).name if found.node(id).kind is NodeKind.ARTIFACT else id for id in ids}


def _closure(start, edges):
    met, waiting = set(), [start]
    while waiting:
        here = waiting.pop()
        new = {target for source, target in edges if source == here} - met
        met |= new
        waiting += new
    return met


def test_the_nodes_are_a_frame(home):
    churn(home)
    frame = kfnb.lineage(f"{FIRST}/train").to_frame()
    assert set(frame.kind) == {"task", "artifact"}
    assert frame.made_of.sum() == 3
    assert json.loads(as_json(kfnb.lineage(FIRST)))["runs"] == [FIRST]


@pytest.mark.parametrize("name", ["churn-data@1", "of-another-home@7"])
def test_data_that_a_record_names_with_its_digest_is_that_content_whatever_it_is_called_here(
    home, records, name
):
    mine, other = digest("mine"), digest("other")
    records.units |= {
        "data": ArtifactRecord("churn-data", DATASET, digest=mine, also=(other,), names=("churn-data@1",)),
        "model": ArtifactRecord("a", MODEL, digest=digest("a"), names=("a@1",), of={name: other}),
    }
    assert kfnb.lineage("churn-data@1").models == ("a@1",)
    assert kfnb.lineage("a@1").data == ("churn-data@1",)


def test_data_of_the_same_name_with_another_digest_is_other_data(home, records):
    records.units |= {
        "data": ArtifactRecord("churn-data", DATASET, digest=digest("mine"), names=("churn-data@1",)),
        "model": ArtifactRecord(
            "a", MODEL, digest=digest("a"), names=("a@1",), of={"churn-data@1": digest("bobs")}
        ),
    }
    assert kfnb.lineage("churn-data@1").models == ()
    assert kfnb.lineage("a@1").data == ()
