"""What people type: ``kfnb.serve`` and its handle, the magics, the command."""

from __future__ import annotations

import json
import re
import stat
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest
from IPython.core.completer import provisionalcompleter
from nbformat.v4 import new_code_cell, new_notebook
from service_conformance import Versions, until

import kfnb
from kfnb.cli import main
from kfnb.commands.display import as_json, bundle
from kfnb.errors import BackendError, Conflict, UsageError
from kfnb.resources.services import api
from kfnb.resources.services.model import ServiceState
from kfnb.resources.services.targets import ServingTerms, target_of


@pytest.fixture
def churn(version: Versions) -> list[Any]:
    """Three versions of ``churn``; ``champion`` is the first."""
    versions = [version() for _ in range(3)]
    versions[0].promote()
    return versions


# -- kfnb.serve --------------------------------------------------------------------------------------------------------


def test_a_model_is_served_and_asked(churn: list[Any]) -> None:
    service = kfnb.serve("churn@champion")
    assert service.predict([[1, 2], [3, 4]]).tolist() == [103, 107], "it waits until the service answers"
    assert service.wait(30).state is ServiceState.READY
    assert (service.name, service.versions, service.traffic) == ("churn", ("churn@1",), {"churn@1": 100})
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", service.url)
    (answer,) = service.ask([[1, 2]])
    assert answer.version == "1"
    assert answer.id
    assert kfnb.service("churn").name == "churn"
    assert [one.name for one in kfnb.services()] == ["churn"]
    assert repr(service).startswith("<Service churn: READY, churn@1 100 %, http://127.0.0.1:")


def test_run_all_twice_changes_nothing(churn: list[Any]) -> None:
    for _ in range(2):
        kfnb.serve("churn@champion").wait(30)
        service = kfnb.serve("churn", canary="churn@3:1").wait(30)
    assert service.traffic == {"churn@1": 99, "churn@3": 1}
    assert [move.action for move in service.history] == ["canary", "serve"]


def test_the_name_of_a_service_means_its_default_only_beside_a_canary(churn: list[Any]) -> None:
    kfnb.serve("churn@1").wait(30)
    assert kfnb.serve("churn", shadow="churn@2").wait(30).versions == ("churn@1", "churn@2")
    assert kfnb.serve("churn").wait(30).versions[0] == "churn@3", "alone it is the newest version"


def test_a_service_can_have_all_of_it_from_the_start(churn: list[Any]) -> None:
    service = kfnb.serve("churn@1", name="prices", canary="churn@2:5", shadow="churn@3", sticky="x-customer")
    now = service.wait(30).snapshot()
    assert {one.role: one.share for one in now.revisions} == {"default": 95, "canary": 5, "shadow": 0}
    assert (now.name, now.desired.generation, now.desired.sticky) == ("prices", 1, "x-customer")
    assert now.history[0].after == {"churn@1": 95, "churn@2": 5, "churn@3": 0}
    assert service.predict([[1, 2]], version="shadow").tolist() == [303]


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"model": "churn@9"}, "churn@9"),
        ({"model": "prices"}, "prices"),
        (
            {"model": object()},
            r"a value of type object is not a version of a model: kfnb.register\(model, NAME\)",
        ),
        ({"model": "churn@1", "canary": "churn@2"}, "write a canary as NAME@VERSION:PERCENT"),
        ({"model": "churn@1", "canary": "churn@2:0"}, "from 1 to 99"),
        ({"model": "churn@1", "canary": "churn@2:250"}, "from 1 to 99"),
        ({"model": "churn@1", "canary": "churn@1:5"}, "the default already"),
        ({"model": "churn@1", "name": "Not A Name"}, "not a valid name for a service"),
        ({"model": "churn@1", "on_bad_input": "panic"}, "reject, impute, log"),
        ({"model": "churn@1", "host": "0.0.0.0"}, "requests need a token"),
        ({"model": "churn@1", "token": ""}, "requests need a token"),
        ({"model": "churn@1", "token": Path("/no/such/file")}, "cannot be read: No such file"),
        ({"model": "churn@1", "token": "two words"}, "characters that a header cannot have"),
        ({"model": "churn@1", "memory": "4Gi"}, "memory: for a cluster alone; pass backend='kubeflow'"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_made(
    churn: list[Any], how: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        kfnb.serve(**how)
    assert list(kfnb.services()) == []


def test_an_archived_version_and_a_pickle_are_not_served_unasked(
    churn: list[Any], version: Versions, monkeypatch: pytest.MonkeyPatch
) -> None:
    churn[1].archive()
    with pytest.raises(UsageError, match="churn@2 is archived: restore it"):
        kfnb.serve("churn@2")
    pickled = type(churn[2].snapshot())(**{**vars(churn[2].snapshot()), "format": "pickle"})
    monkeypatch.setattr("kfnb.resources.models.handle.ModelVersion.snapshot", lambda _: pickled)
    with pytest.raises(UsageError, match=r"pass pickle=True \(--pickle\)"):
        kfnb.serve("churn@3")


def test_a_service_keeps_its_address(churn: list[Any]) -> None:
    service = kfnb.serve("churn@1").wait(30)
    with pytest.raises(UsageError, match="service churn exists, and answers at http"):
        kfnb.serve("churn@2", port=1)
    with pytest.raises(UsageError, match="without a token: delete it first"):
        kfnb.serve("churn@2", token=True)
    assert service.versions == ("churn@1",)
    url = service.url
    assert kfnb.serve("churn@2", port=int(url.rpartition(":")[2])).wait(30).url == url


def test_a_new_token_is_kept_in_a_file_that_only_its_user_can_read(churn: list[Any]) -> None:
    service = kfnb.serve("churn@1", host="0.0.0.0", token=True).wait(30)
    file = Path(service.snapshot().token_file)
    assert len(file.read_text()) > 30
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert service.predict([[1, 2]]).tolist() == [103]
    assert file.read_text() not in bundle(service)["text/html"] + as_json(service)


def test_a_stopped_service_is_started_by_serving_it(churn: list[Any]) -> None:
    service = kfnb.serve("churn@1").wait(30)
    assert service.predict([[1, 2]]).tolist() == [103]
    assert service.stop().state is ServiceState.STOPPED, "stop returns when it has stopped"
    began = time.monotonic()
    with pytest.raises(kfnb.ServiceFailed, match=r"service churn is STOPPED; %kf_services start churn"):
        service.predict([[1]])
    assert time.monotonic() - began < 2
    with pytest.raises(kfnb.ServiceFailed):
        service.wait(1)
    kfnb.serve("churn@1").wait(30)
    assert service.predict([[1, 2]]).tolist() == [103]


def test_a_service_that_is_being_stopped_is_started_by_serving_another_version(churn: list[Any]) -> None:
    kfnb.serve("churn@1").wait(30)
    api.engine_of().stop("churn")
    assert kfnb.serve("churn@2").wait(30).traffic == {"churn@2": 100}


def test_what_was_asked_just_before_a_stop_is_counted(churn: list[Any]) -> None:
    service = kfnb.serve("churn@1").wait(30)
    for _ in range(20):
        service.ask([[1, 2]])
    service.stop()
    assert service.snapshot().revisions[0].counters.requests == 20
    service.start().wait(30).ask([[1, 2]])
    service.stop()
    assert service.snapshot().revisions[0].counters.requests == 21


def test_a_canary_of_another_model_is_told_of(churn: list[Any], version: Versions) -> None:
    version("odd")
    service = kfnb.serve("churn@1").wait(30).canary("odd@1", 5).wait(30)
    assert "the canary odd@1 is not a version of churn, the default's model" in service.snapshot().notes


def test_a_model_folder_that_was_changed_is_named_by_its_version(churn: list[Any]) -> None:
    file = churn[1].path() / "model.txt"
    file.chmod(0o600)
    file.write_text("something else")
    with pytest.raises(BackendError, match=r"churn@2 cannot be served: .*changed on disk.*repairs it"):
        kfnb.serve("churn@2")


def test_a_notebook_that_fails_after_it_has_started_a_service_says_that_it_still_runs(
    churn: list[Any], tmp_path: Path, capsys: Any
) -> None:
    kfnb.serve("churn@1", name="before").wait(30)
    kfnb.serve("churn@1").wait(30).stop()
    notebook = tmp_path / "fails.ipynb"
    starts = "%load_ext kfnb\nimport kfnb\nkfnb.service('churn').start().wait()\nraise ValueError('no')"
    nbformat.write(new_notebook(cells=[new_code_cell(starts)]), notebook)
    assert main(["run", str(notebook), "--output-dir", str(tmp_path / "out")]) == 1
    told = capsys.readouterr().err
    assert "cell [1]: import kfnb\n  ValueError: no" in told
    assert "service churn is still running; kfnb services stop churn stops it" in told
    assert "service before" not in told


def test_who_waits_is_told_what_failed(churn: list[Any], version: Versions) -> None:
    version(load="fails")
    with pytest.raises(kfnb.ServiceFailed, match=r"churn@4 does not start: .*another version of its library"):
        kfnb.serve("churn@4", name="broken").wait(30)
    service = kfnb.serve("churn@1").wait(30)
    with pytest.raises(kfnb.ServiceFailed, match="churn@4 does not start"):
        service.canary("churn@4", 5).wait(30)
    assert service.predict([[1, 2]]).tolist() == [103], "the default goes on"
    with pytest.raises(UsageError, match="the canary churn@4 is FAILED"):
        service.promote()
    assert service.rollback().wait(30).traffic == {"churn@1": 100}


def test_a_version_that_failed_is_tried_again_when_it_is_served_again(
    churn: list[Any], version: Versions, home: Path
) -> None:
    fixed = version(load="fails")
    service = kfnb.serve("churn@1").wait(30)
    with pytest.raises(kfnb.ServiceFailed):
        kfnb.serve("churn", canary="churn@4:5").wait(30)
    deployed = next((home / "services" / "churn" / "versions").glob(f"{fixed.digest[:32]}"))
    (deployed / "behaviour.json").write_text('{"offset": 400}')
    assert kfnb.serve("churn", canary="churn@4:5").wait(30).traffic == {"churn@1": 95, "churn@4": 5}
    assert service.predict([[1, 2]], version="canary").tolist() == [403]


def test_what_is_done_with_bad_input_is_kept_unless_it_is_named(churn: list[Any]) -> None:
    service = kfnb.serve("churn@1", on_bad_input="impute").wait(30)
    kfnb.serve("churn@1").wait(30)
    kfnb.serve("churn", canary="churn@2:5").wait(30)
    desired = service.snapshot().desired
    assert [one.on_bad_input for one in desired.targets] == ["impute", "impute"]
    assert desired.generation == 2
    assert kfnb.serve("churn@1", on_bad_input="reject").wait(30).snapshot().desired.default.revision == 3


def test_who_has_no_time_is_told_so(version: Versions) -> None:
    version(load="hangs")
    with pytest.raises(TimeoutError, match=r"service churn is still PENDING after 0\.5 s"):
        kfnb.serve("churn").wait(0.5)


# -- aliases -----------------------------------------------------------------------------------------------------------


def test_a_promotion_leaves_the_registry_s_alias_and_says_so(churn: list[Any]) -> None:
    told: list[str] = []
    service = kfnb.serve("churn@champion").wait(30).canary("churn@2", 10).wait(30)
    service.promote(notify=told.append)
    assert told == ["churn@champion still names churn@1; alias=True (--alias) moves it"]
    assert kfnb.model("churn@champion").version == 1
    service.rollback(notify=told.append).wait(30)
    assert len(told) == 1, "nothing names the version that was promoted"


def test_a_promotion_moves_the_alias_where_it_is_told_to_and_a_rollback_moves_it_back(
    churn: list[Any],
) -> None:
    told: list[str] = []
    service = kfnb.serve("churn@champion").wait(30).canary("churn@2", 10).wait(30)
    service.promote(alias=True, because="better", notify=told.append).wait(30)
    assert told == ["churn@champion is churn@2"]
    assert kfnb.model("churn@champion").version == 2
    assert kfnb.model("churn@2").history[0].because == "better"
    assert kfnb.serve("churn@champion").wait(30).traffic == {"churn@2": 100}, "Run All changes nothing"

    service.rollback(alias=True, notify=told.append).wait(30)
    assert kfnb.model("churn@champion").version == 1
    assert service.traffic == {"churn@1": 100}


def test_an_alias_is_moved_by_its_name_and_which_one_is_never_guessed(churn: list[Any]) -> None:
    service = kfnb.serve("churn@2").wait(30).canary("churn@3", 10).wait(30)
    with pytest.raises(UsageError, match="churn@2 has no alias: name the one"):
        service.promote(alias=True)
    churn[1].promote("blue")
    churn[1].promote("live")
    with pytest.raises(UsageError, match="churn@2 has several aliases: name one of blue, live"):
        service.promote(alias=True)
    assert service.versions == ("churn@2", "churn@3"), "nothing was changed"
    service.promote(alias="live", notify=lambda _: None)
    assert (kfnb.model("churn@live").version, kfnb.model("churn@blue").version) == (3, 2)


# -- two people --------------------------------------------------------------------------------------------------------


def test_who_acts_on_what_has_changed_is_told_by_whom(
    churn: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    service = kfnb.serve("churn@1").wait(30)
    stale = service.snapshot()
    service.canary("churn@2", 10)
    monkeypatch.setattr(type(service), "snapshot", lambda _: stale)
    with pytest.raises(Conflict, match=r"changed service churn at .* \(canary: churn@1 90 %, churn@2 10 %\)"):
        service.canary("churn@3", 10)


# -- the notebook ------------------------------------------------------------------------------------------------------


def test_a_notebook_serves_asks_promotes_and_stops(shell: Any, version: Versions, capsys: Any) -> None:
    version()
    version()
    service = shell.run("%kf_serve churn@1 -o service")
    assert shell["service"] is service
    assert service.state is ServiceState.READY, "where nobody watches, the cell waits"
    shell.run("%kf_serve churn --canary churn@2:20")
    assert service.traffic == {"churn@1": 80, "churn@2": 20}
    shell.ip.user_ns["rows"] = [[1, 2]]
    assert shell.run("%kf_services predict service rows --version canary").values == (203,)
    shell.run("%kf_services promote churn --because 'it is better'")
    assert service.history[0].because == "it is better"
    shell.run("%kf_services rollback churn")
    assert service.versions == ("churn@1",)
    assert [one.name for one in shell.run("%kf_services")] == ["churn"]
    assert shell.run("%kf_services show churn").name == "churn"
    capsys.readouterr()
    shell.run("%kf_logs churn")
    assert "listening" in capsys.readouterr().out
    shell.run("%kf_services stop churn")
    until(api.engine_of(), "churn", lambda now: now.state is ServiceState.STOPPED)
    capsys.readouterr()
    shell.run("%kf_services stop churn")
    assert "service churn is stopped already" in capsys.readouterr().out
    shell.run("%kf_services start churn")
    assert "churn: no one can confirm it here" in shell.fails("%kf_services delete churn")
    shell.run("%kf_services delete churn --yes")
    assert list(shell.run("%kf_services")) == []


def test_a_cell_fails_where_the_version_does(shell: Any, version: Versions) -> None:
    version(check="fails")
    assert "churn@1 did not pass its check: row by row: column age" in shell.fails("%kf_serve churn")
    assert "unknown service chrn" in shell.fails("%kf_services show chrn")
    assert "did you mean churn" in shell.fails("%kf_services show chrn")


def test_its_names_are_completed(shell: Any, version: Versions) -> None:
    version()
    shell.run("%kf_serve churn -o mine")

    def offered(line: str) -> list[str]:
        with provisionalcompleter():
            return [one.text for one in shell.ip.Completer.completions(line, len(line))]

    assert {"mine", "churn"} <= set(offered("%kf_services show "))
    assert {"default", "canary", "churn@1"} <= set(offered("%kf_services predict churn rows --version "))
    assert "churn@1" in offered("%kf_serve ")
    assert "churn" in offered("%kf_logs ")


# -- the command -------------------------------------------------------------------------------------------------------


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """Two rows in a file of each kind."""
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n3,4\n")
    (tmp_path / "rows.json").write_text('[{"a": 1, "b": 2}, {"a": 3, "b": 4}]')
    (tmp_path / "request.json").write_text('{"instances": [[1, 2], [3, 4]]}')
    (tmp_path / "rows.jsonl").write_text('{"a": 1, "b": 2}\n\n{"a": 3, "b": 4}\n')
    return tmp_path


def test_the_command_serves_asks_and_prints_json(churn: list[Any], rows: Path, capsys: Any) -> None:
    assert main(["serve", "churn@champion", "--json"]) == 0
    out = capsys.readouterr()
    found = json.loads(out.out)
    assert (found["name"], found["state"], found["generation"], found["observed"]) == ("churn", "READY", 1, 1)
    assert (found["versions"][0]["version"], found["versions"][0]["share"]) == ("churn@1", 100)
    assert out.err.splitlines()[0] == "service churn"
    assert "ready: churn@1 ready (100 %)" in out.err.splitlines()[-1]

    for name in "rows.csv", "rows.json", "request.json", "rows.jsonl":
        assert main(["predict", "churn", str(rows / name), "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == [103, 107], name
    assert main(["predict", "churn", str(rows / "rows.json")]) == 0
    assert "103" in capsys.readouterr().out
    assert main(["services", "canary", "churn", "churn@2", "25", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["versions"][1]["share"] == 25
    assert main(["services", "promote", "churn", "--alias"]) == 0
    assert "churn@champion is churn@2" in capsys.readouterr().err
    assert main(["logs", "churn"]) == 0
    assert "listening" in capsys.readouterr().out
    assert main(["services", "delete", "churn", "-y"]) == 0
    assert main(["services", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_the_command_fails_where_the_version_does(churn: list[Any], version: Versions, capsys: Any) -> None:
    version(load="fails")
    assert main(["serve", "churn@4", "--json"]) == 1
    out = capsys.readouterr()
    assert json.loads(out.out)["state"] == "FAILED"
    assert "another version of its library" in out.err
    assert main(["serve", "churn@1", "--port", "99999"]) == 2
    assert main(["serve", "churn@1", "--canary", "churn@2"]) == 2
    assert main(["services", "show", "none"]) in (1, 2)
    assert main(["predict", "churn", "/no/such/rows.csv"]) == 2


def test_the_folder_that_serves_a_version_is_written_for_elsewhere(
    churn: list[Any], tmp_path: Path, capsys: Any
) -> None:
    folder = tmp_path / "packed"
    assert main(["services", "pack", "churn@2", "--to", str(folder)]) == 0
    assert capsys.readouterr().out.strip() == str(folder)
    assert (folder / "serve.py").is_file()
    assert (folder / "kfnb_model.json").read_bytes() == (churn[1].path() / "kfnb_model.json").read_bytes()
    assert main(["services", "pack", "churn@2", "--to", str(folder)]) == 2
    assert "is there and is not an empty folder" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert main(["services", "pack", "churn@2", "--to", str(tmp_path / "file" / "below")]) == 1
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"cpu": "two"}, "--cpu two: write it as Kubernetes does, 2 or 500m"),
        ({"memory": "4GB"}, "--memory 4GB: write it as Kubernetes does, 4G or 512Mi"),
        ({"storage": "s3://models/churn"}, "write pvc://CLAIM/FOLDER or oci://IMAGE"),
        ({"storage": "pvc://models/../other"}, "write pvc://CLAIM/FOLDER or oci://IMAGE"),
        ({"storage": "oci://a b"}, "write pvc://CLAIM/FOLDER or oci://IMAGE"),
    ],
)
def test_what_a_cluster_would_not_understand_is_refused_here(
    churn: list[Any], terms: dict[str, str], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        target_of("churn@1", replace(ServingTerms(), **terms))


def test_one_folder_is_not_two_versions(churn: list[Any]) -> None:
    terms = ServingTerms(storage="pvc://models/churn-1")
    one = target_of("churn@1", terms)
    assert api._Wish("", "", None, terms, "").first(one).default.storage == "pvc://models/churn-1"
    with pytest.raises(UsageError, match="holds one version, and 2 are named"):
        api._Wish("churn@2:5", "", None, terms, "").first(one)


@pytest.mark.parametrize(
    "storage",
    [
        "pvc://models",
        "pvc://models/churn/3",
        "oci://localhost:5000/team/churn:3",
        f"oci://a/b@sha256:{'0' * 64}",
    ],
)
def test_a_folder_on_a_volume_or_in_an_image_is_named_by_its_address(churn: list[Any], storage: str) -> None:
    assert target_of("churn@1", ServingTerms(storage=storage)).storage == storage


def test_a_token_of_a_file_is_used_and_never_printed(churn: list[Any], tmp_path: Path, capsys: Any) -> None:
    file = tmp_path / "secret"
    file.write_text("t0ken-of-mine\n")
    assert main(["serve", "churn@1", "--token", str(file), "--json"]) == 0
    assert main(["services", "show", "churn"]) == 0
    out = capsys.readouterr()
    assert "t0ken-of-mine" not in out.out + out.err
    assert "requests need the token in" in out.err


# -- what is shown -----------------------------------------------------------------------------------------------------


def test_a_service_is_shown_with_its_versions_and_who_changed_it(churn: list[Any]) -> None:
    service = kfnb.serve("churn@1", because="the first").wait(30)
    service.canary("churn@2", 10).wait(30)
    service.predict([[1, 2]])
    text = bundle(service)["text/plain"]
    for part in (
        "✓ Ready · churn",
        "churn@1",
        "90 %",
        "canary",
        "passed",
        "the first",
        "curl http://127.0.0.1",
    ):
        assert part in text
    frame = service.to_frame()
    assert list(frame.version) == ["churn@1", "churn@2"]
    assert list(frame.percent) == [90, 10]
    assert "churn@1 90 %, churn@2 10 %" in bundle(kfnb.services())["text/html"]


def test_an_engine_s_errors_are_kfnb_s_own(churn: list[Any], home: Path) -> None:
    (home / "services").write_text("a file where a folder should be")
    with pytest.raises(BackendError):
        kfnb.serve("churn@1")
    (home / "services").unlink()


def test_a_service_is_named_by_its_name_alone_where_no_model_has_that(churn: list[Any]) -> None:
    kfnb.serve("churn@1", name="prices").wait(30)
    assert kfnb.lineage("prices").nodes == kfnb.lineage("service:prices").nodes
    assert [one.name for one in kfnb.lineage("prices").nodes if one.run] == ["revision 1"]


def test_the_lineage_of_a_version_shows_the_services_that_use_it(churn: list[Any]) -> None:
    service = kfnb.serve("churn@1").wait(30)
    service.canary("churn@2", 10).wait(30)
    first, second = (kfnb.lineage(one) for one in ("churn@1", "churn@2"))
    assert [(one.name, one.run, str(one.state)) for one in first.nodes if one.run] == [
        ("revision 1", "service:churn", "RUNNING")
    ]
    assert [edge.name for edge in second.edges] == ["canary"]
    assert "service:churn" in bundle(first)["text/plain"]

    of_service = kfnb.lineage(service)
    assert of_service == kfnb.lineage("service:churn")
    assert {one.name for one in of_service.nodes} >= {"revision 1", "revision 2", "churn@1", "churn@2"}

    service.rollback().wait(30)
    (node,) = [one for one in kfnb.lineage("churn@2").nodes if one.run]
    assert str(node.state) == "SUCCEEDED"
    service.delete()
    assert not [one for one in kfnb.lineage("churn@1").nodes if one.run]
