"""Labels that come later: which row each belongs to, and what they say of each version."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kfnb
from kfnb.entities import LabelScore
from kfnb.errors import UsageError
from kfnb.resources.services.client import ServedAnswer
from kfnb.resources.services.feedback import labels_by_request, labels_of, request_ids
from kfnb.resources.services.local.folder import ServiceFolder
from kfnb.resources.services.local.labelled_requests import newest_labelled
from kfnb.resources.services.local.labels import add_labels, labels_in, scores_in
from kfnb.resources.services.model import DesiredState, ServiceMove, Target
from kfnb.resources.services.receipt import FeedbackReceipt
from tests.conftest import Shell

# -- which label is which row's


def test_labels_are_by_request_or_by_row() -> None:
    rows = {"a": 1, "b": 2}
    wanted = {"a": [1], "b": [0, None]}
    assert labels_by_request(["a", "b"], [1, [0, None]], rows) == wanted
    assert labels_by_request(["a", "b"], [1, 0, None], rows) == wanted
    assert labels_by_request(["a"], [[1, 2]], rows) == {"a": [[1, 2]]}  # of a model with two outputs
    assert labels_by_request(["gone", "a"], [7, 1], {"a": 1}) == {"a": [1]}


@given(st.lists(st.lists(st.integers(), min_size=1, max_size=4), min_size=1, max_size=6))
def test_both_forms_mean_the_same(requests: list[list[int]]) -> None:
    ids = [f"r{at}" for at in range(len(requests))]
    rows = {one: len(some) for one, some in zip(ids, requests, strict=True)}
    wanted = dict(zip(ids, requests, strict=True))
    nested: Sequence[Any] = [some[0] if len(some) == 1 else some for some in requests]
    assert labels_by_request(ids, nested, rows) == wanted
    flat = [label for some in requests for label in some]
    assert labels_by_request(ids, flat, rows) == wanted


@pytest.mark.parametrize(
    ("ids", "labels", "message"),
    [
        (["a", "b"], [1, 2], "request b has 2 rows"),
        (["a", "b"], [1, [1, 2, 3]], "request b has 2 rows"),
        (["a", "b"], [1, 2, 3, 4], "labels: 4, requests: 2, rows in them: 3: give a label for each row"),
        (["a", "gone"], [1, 2, 3], "labels: 3, requests: 2, 1 of them unknown, rows in them: 1"),
    ],
)
def test_labels_that_do_not_fit_are_refused(ids: list[str], labels: list[Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        labels_by_request(ids, labels, {one: rows for one, rows in {"a": 1, "b": 2}.items() if one in ids})


def test_a_request_is_named_by_its_id_or_its_answer() -> None:
    answer = ServedAnswer("r1", "1", [0])
    assert request_ids("r1") == request_ids(answer) == request_ids([answer]) == ["r1"]
    assert request_ids(pd.Series(["r1", "r2"])) == request_ids(np.array(["r1", "r2"])) == ["r1", "r2"]
    with pytest.raises(UsageError, match="request r1 is given more than once"):
        request_ids([answer, "r1"])


def test_labels_are_of_any_kind() -> None:
    assert labels_of("yes") == ["yes"]
    assert labels_of(np.array([1, 0])) == labels_of(pd.Series([1, 0])) == labels_of((1, 0)) == [1, 0]
    assert labels_of(pd.Series([1.5, None])) == [1.5, None]
    assert labels_of(pd.DataFrame({"x": [1], "y": [2]})) == [{"x": 1, "y": 2}]


# -- what they say


def test_labels_of_a_version_stay_its_own_when_it_is_served_again(tmp_path: Path) -> None:
    folder = ServiceFolder(tmp_path / "churn")
    folder.path.mkdir()
    for generation, (revision, version) in enumerate([(1, 1), (2, 2), (3, 1)], 1):
        target = Target(revision, "churn", version, "sha256:0")
        folder.record(DesiredState(generation, (target,), ServiceMove(generation, "serve", "anna", 0.0)))
        add_labels(folder.path, {f"r{revision}": [0, 1]}, {f"r{revision}": {revision: [0, 0]}}, "anna")
    found = newest_labelled(folder, "churn@1", 1000, inputs=False)
    assert [(one.request, one.row, one.label) for one in found] == [
        ("r1", 0, 0),
        ("r1", 1, 1),
        ("r3", 0, 0),
        ("r3", 1, 1),
    ]
    assert [one.request for one in newest_labelled(folder, "churn@1", 3, inputs=False)] == ["r1", "r3", "r3"]
    assert [one.request for one in newest_labelled(folder, "churn@2", 9, inputs=False)] == ["r2", "r2"]
    assert [one.request for one in newest_labelled(folder, "", 3, inputs=False)] == ["r2", "r3", "r3"], (
        "of any"
    )


def score(folder: Path, predictions: list[Any], labels: list[Any]) -> LabelScore:
    add_labels(folder, {"r": labels}, {"r": {1: predictions}}, "anna")
    return scores_in(folder)[1]


def test_classes_have_an_accuracy(tmp_path: Path) -> None:
    found = score(tmp_path, ["stays", "leaves", "stays"], ["stays", "stays", None])
    assert (found.rows, found.accuracy, found.mean_error) == (2, 0.5, None)


def test_classes_that_are_numbers_have_an_accuracy(tmp_path: Path) -> None:
    found = score(tmp_path, [1, 0.0, 1.0, True], [1.0, 1, 1, 1])
    assert (found.accuracy, found.mean_error) == (0.75, None)


def test_amounts_have_a_mean_error(tmp_path: Path) -> None:
    found = score(tmp_path, [1.5, 2.0], [1.0, 2.0])
    assert (found.accuracy, found.mean_error) == (None, 0.25)


@pytest.mark.parametrize("label", [[1.0, 4.0], {"height": 1.0, "width": 4.0}])
def test_amounts_of_several_outputs_have_their_mean_error(tmp_path: Path, label: Any) -> None:
    found = score(tmp_path, [[1.5, 2.0], [0.0, 1.0]], [label, [0.0, 1.0]])
    assert (found.rows, found.accuracy, found.mean_error) == (2, None, 0.625)


@pytest.mark.parametrize(
    ("prediction", "label", "kind"),
    [
        (True, "x", "true or false"),
        (True, 2, "true or false"),
        ("high", 0, "a text"),
        (1.5, "x", "a number"),
        ([1.0, 2.0], 1.0, "a list of 2"),
        ([1.0, 2.0], [1.0], "a list of 2"),
        ([1.0, "a"], [1.0, 2.0], "a list of 2"),
    ],
)
def test_labels_of_another_kind_are_refused_and_none_is_kept(
    tmp_path: Path, prediction: Any, label: Any, kind: str
) -> None:
    with pytest.raises(UsageError, match=f"of row 1 of request r cannot be compared with .*{kind}:"):
        score(tmp_path, [prediction, prediction], [prediction, label])
    assert scores_in(tmp_path) == {}


@pytest.mark.parametrize(
    ("prediction", "label"), [(True, 1), (1, True), (None, "x"), ([True, "a"], [0, "b"])]
)
def test_labels_that_may_be_true_of_a_prediction_are_kept(
    tmp_path: Path, prediction: Any, label: Any
) -> None:
    assert score(tmp_path, [prediction], [label]).rows == 1


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from([0, 1, 1.5])), max_size=20))
def test_a_score_is_that_of_the_last_label_of_each_row(
    tmp_path_factory: pytest.TempPathFactory, given_labels: list[tuple[int, float]]
) -> None:
    folder, predictions = tmp_path_factory.mktemp("labels"), [0, 1, 1.5]
    last: dict[int, float] = {}
    for row, label in given_labels:
        some: list[Any] = [None, None, None]
        some[row] = last[row] = label
        add_labels(folder, {"r": some}, {"r": {1: predictions}}, "anna")
    found = scores_in(folder).get(1, LabelScore())
    assert found.rows == len(last)
    assert found.correct == sum(predictions[row] == label for row, label in last.items())
    assert found.deviation == pytest.approx(sum(abs(predictions[row] - label) for row, label in last.items()))


def test_what_becomes_of_each_label_is_told(tmp_path: Path) -> None:
    answers = {"r": {1: [0, 1, 1]}}
    first = add_labels(tmp_path, {"r": [0, 1, None]}, answers, "anna")
    again = add_labels(tmp_path, {"r": [0, 0, 1]}, answers, "ben")
    assert first == FeedbackReceipt(new=2, missing=1)
    assert again == FeedbackReceipt(new=1, corrected=1, repeated=1)
    assert FeedbackReceipt(1, 2, 3, 4, ("x",)).sentence == (
        "1 new label, 2 corrected, 3 known already, 4 missing, 1 unknown requests (x)"
    )
    with labels_in(tmp_path).reading() as connection:
        kept = connection.execute("select by, row, prediction, label from labels order by seq").fetchall()
    assert kept == [("anna", 0, "0", "0"), ("anna", 1, "1", "1"), ("ben", 1, "1", "0"), ("ben", 2, "1", "1")]


def test_the_oldest_labels_are_dropped_and_still_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kfnb.resources.services.local.labels.MOST_LABELS", 50)
    for number in range(30):
        add_labels(tmp_path, {str(number): [1] * 5}, {str(number): {1: [1, 1, 1, 1, 0]}}, "anna")
    with labels_in(tmp_path).reading() as connection:
        (count,) = connection.execute("select count(*) from labels").fetchone()
    assert count <= 50
    assert scores_in(tmp_path)[1] == LabelScore(150, 120, 0, 30.0)


# -- through a service


def adding(number: int) -> kfnb.ModelVersion:
    """A version of a real model, which adds a number to what it gets, as only the real program keeps requests."""
    from sklearn.linear_model import LinearRegression

    rows = np.arange(100.0).reshape(-1, 1)
    model = LinearRegression().fit(rows, rows[:, 0] + number)
    model.coef_, model.intercept_ = np.array([1.0]), float(number)
    return kfnb.register(model, "churn", example=rows, notify=lambda _: None)


@pytest.fixture
def service(home: Path) -> Iterator[kfnb.Service]:
    service = kfnb.serve(adding(100)).wait(60)
    yield service
    service.delete()


@pytest.mark.slow
def test_a_service_knows_how_right_each_version_was(service: kfnb.Service) -> None:
    service.canary(adding(200), 50).wait(60)
    first = service.ask([[1], [2]], version="default")
    second = service.ask([[3]], version="canary")
    assert service.feedback([*first, *second], [101, 0, 203]) == FeedbackReceipt(new=3)
    frame = service.to_frame().set_index("role")
    assert frame.labels.to_dict() == {"default": 2, "canary": 1}
    assert frame.accuracy.to_dict() == {"default": 0.5, "canary": 1.0}
    assert service.feedback(first, [[101, 102]]) == FeedbackReceipt(corrected=1, repeated=1)
    assert service.to_frame().accuracy.tolist() == [1.0, 1.0]
    service.stop()
    service.start().wait(60)
    assert service.to_frame().labels.tolist() == [2, 1]


@pytest.mark.slow
def test_a_shadow_is_compared_with_labels_too(service: kfnb.Service) -> None:
    service.shadow(adding(200)).wait(60)
    (answer,) = service.ask([[1]])
    for _ in range(100):
        service.feedback(answer, 201)
        if sum(one.labels.rows for one in service.snapshot().revisions) == 2:
            break
    assert [one.labels.accuracy for one in service.snapshot().revisions] == [0.0, 1.0]


@pytest.mark.slow
def test_requests_that_are_not_remembered_are_named(service: kfnb.Service) -> None:
    (answer,) = service.ask([[1]])
    assert service.feedback([answer.id, "never"], [101, 1]).unknown == ("never",)
    with pytest.raises(
        UsageError, match="service churn remembers none of these requests: the ids are those of ask"
    ):
        service.feedback("never", 1)


@pytest.mark.slow
def test_the_command_takes_a_table_of_ids_and_labels(
    service: kfnb.Service, shell: Shell, tmp_path: Path
) -> None:
    one, two = service.ask([[1]]), service.ask([[2], [3]])
    file = tmp_path / "labels.csv"
    file.write_text(f"id,label\n{one[0].id},101\n{two[0].id},102\n{two[0].id},\n")
    shell.ip.user_ns["served"] = service
    receipt = shell.run(f"%kf_services feedback served {file}")
    assert receipt == FeedbackReceipt(new=2, missing=1)
    with pytest.raises(UsageError, match="has not the columns id and label"):
        shell.run(f"%kf_services feedback served {_written(tmp_path)}")


def _written(folder: Path) -> Path:
    file = folder / "other.csv"
    file.write_text("a,b\n1,2\n")
    return file
