"""Labels of a service on a cluster: kept beside the log of its requests, and joined with what it has answered."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from kfnb.errors import UsageError
from kfnb.remote.objects import AccessKeys, ObjectStore, StoreAccess
from kfnb.resources.monitors.kubeflow import answer_shelf
from kfnb.resources.monitors.kubeflow.answer_shelf import AnswerShelf, AnswerWriter, KeptAnswer, answers_in
from kfnb.resources.monitors.kubeflow.labelled import KnownLabels, as_json, known_of, labels_after
from kfnb.resources.monitors.model import MonitorSpec, Rule
from kfnb.resources.services.kserve.label_folder import LabelFolder

SPEC = MonitorSpec("churn", "churn", "churn-data@1", (Rule("below", 0.8, "accuracy"),), labels=4)
EVER = (0.0, 1e12)


@pytest.fixture(scope="module")
def store() -> Iterator[ObjectStore]:
    server = pytest.importorskip("moto.server").ThreadedMotoServer(port=0, verbose=False)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    with urllib.request.urlopen(urllib.request.Request(f"{endpoint}/bucket", method="PUT")):
        pass
    yield ObjectStore(StoreAccess("s3", endpoint, "us-east-1", keys=AccessKeys("key", "secret")))
    server.stop()


@pytest.fixture
def shelf(store: ObjectStore, request: pytest.FixtureRequest) -> AnswerShelf:
    """Answers of the requests ``a``, of two rows, and ``b``."""
    made = AnswerShelf(store, f"bucket/{request.node.name}/monitor", "churn@1")
    made.keep(100.0, [KeptAnswer("a", 0, True, {"region": "north"}), KeptAnswer("a", 1, False)])
    made.keep(200.0, [KeptAnswer("b", 0, True)])
    return made


@pytest.fixture
def folder(store: ObjectStore, request: pytest.FixtureRequest) -> LabelFolder:
    return LabelFolder(store, f"bucket/{request.node.name}/labels")


def after(
    before: KnownLabels, shelf: AnswerShelf, folder: LabelFolder, spec: MonitorSpec = SPEC
) -> KnownLabels:
    return labels_after(spec, before, shelf, folder, *EVER)


def test_labels_are_joined_with_what_was_answered(shelf: AnswerShelf, folder: LabelFolder) -> None:
    receipt = folder.add(["a", "b", "c"], [[True, None], False, True], "ada")
    assert (receipt.kept, receipt.sentence) == (3, "3 labels kept for the next check of a monitor")
    known = after(KnownLabels(), shelf, folder)
    assert [(one.request, one.row, one.prediction, one.label) for one in known.rows] == [
        ("a", 0, True, True),
        ("b", 0, True, False),
    ]
    assert known.rows[0].slices == {"region": "north"}
    assert [one.right for one in known.labelled()] == [True, False]
    assert known.notes == ("1 new labels fit no row that was logged",)
    assert known.last == pytest.approx(time.time(), abs=60)


def test_a_correction_replaces_a_label_and_is_the_newest(shelf: AnswerShelf, folder: LabelFolder) -> None:
    folder.add(["a", "b"], [[True, True], True], "ada")
    known = after(KnownLabels(), shelf, folder)
    corrected = LabelFolder(folder.store, f"{folder.path}-later")
    corrected.add(["a"], [[None, False]], "ada")
    known = after(known, shelf, corrected)
    assert [(one.request, one.row, one.label) for one in known.rows] == [
        ("a", 0, True),
        ("b", 0, True),
        ("a", 1, False),
    ]


def test_only_the_newest_labels_are_remembered(shelf: AnswerShelf, folder: LabelFolder) -> None:
    shelf.keep(300.0, [KeptAnswer(f"r{number}", 0, True) for number in range(6)])
    folder.add([f"r{number}" for number in range(6)], [True] * 6, "ada")
    assert [one.request for one in after(KnownLabels(), shelf, folder).rows] == ["r2", "r3", "r4", "r5"]


def test_labels_of_another_version_are_none_of_this_one(shelf: AnswerShelf, folder: LabelFolder) -> None:
    folder.add(["a"], [[True, True]], "ada")
    known = after(KnownLabels(), shelf, folder)
    next_version = AnswerShelf(shelf.store, shelf.path, "churn@2")
    nothing = LabelFolder(folder.store, f"{folder.path}-none")
    found = after(known, next_version, nothing)
    assert (found.version, found.rows, found.last) == ("churn@2", (), known.last)


def test_labels_are_read_once(shelf: AnswerShelf, folder: LabelFolder) -> None:
    folder.add(["a"], [[True, True]], "ada")
    at = next(folder.between(*EVER)).at
    assert [one.request for one in folder.between(at, at + 1)] == ["a"]
    assert list(folder.between(at - 100, at)) == []
    assert list(folder.between(at + 1, at + 100)) == []


def test_what_is_no_object_of_labels_is_passed_over(folder: LabelFolder) -> None:
    for name, content in (("x.json", b"{"), ("y.json", b"[1]"), ("z.json", b'{"labels": 7}')):
        folder.store.write(f"{folder.path}/{name}", content)
    assert list(folder.between(*EVER)) == []


def test_labels_that_fit_no_request_are_refused(folder: LabelFolder) -> None:
    with pytest.raises(UsageError, match="labels: 3, requests: 2") as refused:
        folder.add(["a", "b"], [True, True, False], "ada")
    assert "the list of its rows'" in str(refused.value)
    assert list(folder.between(*EVER)) == []


def test_what_is_known_is_the_same_as_json(shelf: AnswerShelf, folder: LabelFolder) -> None:
    import json

    folder.add(["a", "b"], [[True, True], False], "ada")
    known = after(KnownLabels(), shelf, folder)
    assert known_of(json.loads(json.dumps(as_json(known)))) == known


def test_answers_are_kept_in_parts_and_not_for_ever(
    shelf: AnswerShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer_shelf, "_IN_A_FILE", 2)
    writer = AnswerWriter(shelf, 300.0)
    for number in range(5):
        writer.add([KeptAnswer(f"r{number}", 0, number)])
    writer.close()
    assert len(shelf.store.list_all(shelf.folder)) == 2 + 3
    assert {key[0] for key in shelf.find(["r0", "r4", "b", "never"])} == {"r0", "r4", "b"}
    shelf.forget(time.time() - 3600)
    assert len(shelf.store.list_all(shelf.folder)) == 5
    shelf.forget(time.time() + 3600)
    assert shelf.find(["a"]) == {}


def test_answers_have_the_values_that_metrics_are_measured_by() -> None:
    import pyarrow as pa

    block: Any = pa.record_batch(
        {
            "id": ["a", "a", "b"],
            "row": [0, 1, 0],
            "prediction": [1.5, None, 2.5],
            "input": [{"region": "north"}, {"region": "south"}, {"region": None}],
        }
    )
    assert list(answers_in(block, ["region", "unknown"])) == [
        KeptAnswer("a", 0, 1.5, {"region": "north"}),
        KeptAnswer("b", 0, 2.5, {"region": "None"}),
    ]
