"""Every pair of a magic and its verb: the same options, the same answers, the same refusals."""

from __future__ import annotations

import json
import re

import pytest

from kfnb import registry
from kfnb.cli import command_of, main
from kfnb.commands.display import as_json
from kfnb.commands.terminal import in_terminal
from kfnb.errors import BackendError
from kfnb.ipython.magics import parser_of_magic
from kfnb.registry import CommandRow
from tests.conftest import Shell

PAIRS = [row for _, row in registry.commands() if row.magic and row.verb]
pairs = pytest.mark.parametrize("row", PAIRS, ids=lambda row: row.verb.replace(" ", "-"))


@pairs
def test_both_take_the_same_options(row: CommandRow) -> None:
    magic, (_, verb, _) = parser_of_magic(row.magic), command_of(row.verb.split())
    assert magic is not None
    ours, theirs = set(magic.values), set(verb.values)
    assert ours - {"bind"} == theirs - {"json"}
    assert magic.description == verb.description
    assert {name: magic.values[name] for name in ours & theirs} == {
        name: verb.values[name] for name in ours & theirs
    }


@pairs
def test_both_refuse_an_unknown_option_in_the_same_words(
    row: CommandRow, shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    told = shell.fails(f"{row.magic} --nonsense")
    capsys.readouterr()
    assert main([*row.verb.split(), "--nonsense"]) == 2
    assert told.replace(row.magic, f"kfnb {row.verb}") == capsys.readouterr().err.strip()


@pytest.fixture
def ran(shell: Shell) -> Shell:
    """A notebook with a finished run, bound to ``done``, and a finished study ``bowl``, bound to ``found``."""
    shell.run("%%kf_component one --param n:int=1\nm = n + 1\nprint('m is', m)")
    shell.run("%kf_pipeline p one")
    shell.run("%kf_submit p -o done")
    shell.run(
        "%%kf_tune bowl --space x=int(0,3) --objective loss --minimize --trials 2 -o found\nloss = x * x"
    )
    return shell


@pytest.mark.parametrize(
    "line",
    [
        "%kf_run 000000-nothing",
        "%kf_logs 000000-nothing",
        "%kf_stop 000000-nothing",
        "%kf_retry 000000-nothing",
        "%kf_archive 000000-nothing",
        "%kf_delete 000000-nothing --yes",
        "%kf_compare 000000-nothing 000000-other",
        "%kf_runs --limit -1",
        "%kf_runs --state lost",
        "%kf_runs --backend moon",
        "%kf_study nothing",
        "%kf_study bowl --stop --trials 5",
        "%kf_study bowl --delete --trials 5",
        "%kf_study bowl --stop --delete",
        "%kf_studies --backend moon",
        "%kf_upload",
        "%kf_upload p",
        "%kf_schedule",
        "%kf_schedule --list --pause x",
        "%kf_tune p --minimize",
        "%kf_tune p --objective loss",
        "%kf_compile p",
        "%kf_submit nothing.yaml",
    ],
)
def test_both_refuse_in_the_same_words_and_change_nothing(
    ran: Shell, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name, _, words = line.partition(" ")
    row = next(row for row in PAIRS if row.magic == name)
    told = ran.fails(line)
    code = 1 if isinstance(ran.error, BackendError) else 2
    capsys.readouterr()
    assert main([*row.verb.split(), *words.split()]) == code
    assert in_terminal(told).replace(name, f"kfnb {row.verb}") == capsys.readouterr().err.strip()
    assert [study.name for study in ran.run("%kf_studies")] == ["bowl"]
    assert len(ran.run("%kf_runs")) == 1


@pytest.mark.parametrize(
    "line",
    [
        "%kf_runs",
        "%kf_runs --state succeeded --limit 1",
        "%kf_runs --state failed",
        "%kf_run ID",
        "%kf_compare ID OTHER",
        "%kf_studies",
        "%kf_study bowl",
        "%kf_experiments",
    ],
)
def test_both_give_the_same_answer(ran: Shell, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    if "OTHER" in line:
        ran.run("%kf_submit p --n 2 -o other")
        line = line.replace("OTHER", ran["other"].id)
    name, _, words = line.replace("ID", ran["done"].id).partition(" ")
    row = next(row for row in PAIRS if row.magic == name)
    given = ran.run(f"{name} {words}")
    capsys.readouterr()
    assert main([*row.verb.split(), *words.split(), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(as_json(given))


@pytest.mark.parametrize("reference", ["id", "start", "local", "name"])
@pytest.mark.parametrize("magic", ["run", "logs", "stop", "compare", "archive"])
def test_whatever_takes_a_run_takes_each_form_of_a_reference_to_one(
    ran: Shell, magic: str, reference: str, capsys: pytest.CaptureFixture[str]
) -> None:
    id = ran["done"].id
    word = {"id": id, "start": id[:-2], "local": f"local:{id}", "name": "done"}[reference]
    if magic == "compare":
        assert f"not {id}" in ran.fails(f"%kf_compare {word} {id}")  # it is one run, twice
    else:
        ran.run(f"%kf_{magic} {word}")


@pytest.mark.parametrize("reference", ["bowl", "local:bowl", "found"])
def test_whatever_takes_a_study_takes_each_form_of_a_reference_to_one(ran: Shell, reference: str) -> None:
    assert ran.run(f"%kf_study {reference}").name == "bowl"
    ran.run("%%kf_component two --param x:int=1\ny = x")
    ran.run("%kf_pipeline q two")
    assert ran.run(f"%kf_submit q --from-study {reference}").arguments["x"] == ran["found"].best.params["x"]


def test_a_study_here_is_found_from_where_studies_go_to_a_cluster(
    ran: Shell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from kfnb.errors import StudyNotFound
    from kfnb.resources.studies import api

    class Katib:
        def find(self, name: str) -> str:
            raise StudyNotFound(f"unknown study {name}")

    monkeypatch.setattr(api, "_katib", Katib)
    monkeypatch.setattr(api, "backend_name", lambda name=None: name or "kubeflow")
    assert ran.run("%kf_study bowl").name == "bowl"
    assert main(["studies", "show", "bowl"]) == 0
    assert "bowl" in capsys.readouterr().out


def test_stopping_a_finished_run_says_so_in_both(ran: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    ran.run("%kf_stop done")
    told = capsys.readouterr().out.strip()
    assert re.fullmatch(r"run \S+ is already finished: SUCCEEDED", told)
    assert main(["stop", ran["done"].id]) == 0
    assert capsys.readouterr().err.strip() == told
