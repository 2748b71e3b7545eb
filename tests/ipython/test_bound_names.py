"""A name of the notebook stands for a handle if it is bound to one; else the word is a reference."""

from __future__ import annotations

from kfnb.commands.bound_names import bound_to, resolved
from tests.conftest import Shell


class Handle:
    """A handle."""


def test_a_name_counts_only_if_it_is_bound_to_a_handle() -> None:
    handle = Handle()
    names = {"churn": handle, "rows": 3, "text": "churn"}
    assert resolved(names, "churn", Handle) is handle
    assert [resolved(names, word, Handle) for word in ("rows", "text", "other")] == ["rows", "text", "other"]
    assert resolved(names, "rows", Handle, int) == 3


def test_names_that_are_offered_are_the_users_and_the_newest_first() -> None:
    names = {"_": Handle(), "_3": Handle(), "first": Handle(), "rows": 3, "second": Handle()}
    assert bound_to(names, "Handle") == ["second", "first"]


def test_a_table_of_the_same_name_hides_no_model_data_set_run_or_study(shell: Shell) -> None:
    shell.run("import pandas as pd\nchurn = pd.DataFrame({'a': [1, 2]})")
    shell.run("from sklearn.linear_model import LogisticRegression")
    shell.run("model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])")
    shell.run("%kf_data add churn churn")
    shell.run("%kf_register model --name churn")
    assert shell.run("%kf_models show churn").ref == "churn@1"
    assert shell.run("%kf_data show churn").ref == "churn@1"
    assert "unknown run churn" in shell.fails("%kf_logs churn")
    assert "churn" in shell.fails("%kf_study churn")
    assert "unknown run churn" in shell.fails("%kf_register model --name m --run churn")
