"""Former names of the public surface are accepted."""

from __future__ import annotations

import inspect
import json

import pytest

import kfnb
from kfnb.aliases import accepts, with_former_names
from kfnb.resources.cluster.display import DISPLAYS as CLUSTER
from kfnb.resources.cluster.model import Check, CheckList, CheckOutcome, KubeflowPart, PodDefault, Status
from kfnb.resources.notebooks.display import DISPLAYS as NOTEBOOKS
from kfnb.resources.notebooks.model import DryRun


@accepts(tell="notify")
def greeting(name: str, *, notify: str = "nothing") -> str:
    return f"{name}: {notify}"


def test_a_keyword_is_taken_by_its_former_name_too():
    assert greeting("a", tell="x") == greeting("a", notify="x") == "a: x"
    assert greeting("a") == "a: nothing"
    with pytest.raises(TypeError):
        greeting("a", shout="x")


@pytest.mark.parametrize("function", [kfnb.submit, kfnb.schedule, kfnb.upload, kfnb.Run.keep_when_finished])
def test_the_functions_that_print_messages_take_both_names(function):
    assert "notify" in inspect.signature(function).parameters
    with pytest.raises(TypeError, match="nothing_of_the_kind"):
        function(tell=print, nothing_of_the_kind=1)


def test_the_module_of_notebooks_has_its_former_names():
    from kfnb import spawning

    assert spawning.Asked is spawning.NotebookRequest
    assert spawning.rehearse is spawning.dry_run


def test_fields_are_read_by_their_former_names_too():
    assert Check("a", CheckOutcome.GOOD, "fine").told == "fine"
    assert PodDefault("a", "fine").told == "fine"
    assert DryRun("", accepted=True, message="fine").told == "fine"
    assert KubeflowPart.wanted.fget(type("Part", (), {"desired": 2})) == 2
    assert Status.asked.fget(type("Seen", (), {"as_of": 2.0})) == 2.0


def test_json_has_renamed_fields_under_both_names():
    (check,) = CLUSTER[CheckList].data(CheckList([Check("a", CheckOutcome.GOOD, "fine")]))
    tried = NOTEBOOKS[DryRun].data(DryRun("kind: Notebook\n", accepted=True, message="fine"))

    assert (check["told"], check["message"]) == (tried["told"], tried["message"]) == ("fine", "fine")
    assert json.dumps(with_former_names({"a": ({"as_of": 1},)}, {"asked": "as_of"})) == (
        '{"a": [{"as_of": 1, "asked": 1}]}'
    )
