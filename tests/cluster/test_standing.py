"""Where one is, as people ask for it: the magic, the function and the command; with a cluster and without."""

import json
import time

import pytest
from replay_kubernetes import Fault, written_kubeconfig

from kfnb import settings
from kfnb.cli import main
from kfnb.remote import environment
from kfnb.resources.cluster import api
from kfnb.resources.cluster.model import Knowledge, Status
from kfnb.resources.cluster.status import gather

DEFAULT = "kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION"


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch):
    """No cluster around, no kubeconfig, and a home without runs."""
    real = environment.read
    monkeypatch.setattr(environment, "read", lambda: real(tmp_path, {}))
    monkeypatch.setattr(DEFAULT, str(tmp_path / "none"))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.setenv("KFNB_HOME", str(tmp_path / "home"))
    settings.reset(start=tmp_path)
    yield
    settings.reset()


@pytest.fixture
def viewer(replay, tmp_path, monkeypatch):
    """A kubeconfig with a context of a user who may see a namespace."""
    file = written_kubeconfig(tmp_path, replay.url, "viewer")
    monkeypatch.setattr(DEFAULT, str(file))
    monkeypatch.setenv("KUBECONFIG", str(file))
    monkeypatch.setenv("KFNB_CONTEXT", "viewer")
    monkeypatch.setenv("KFNB_BACKEND", "local")
    settings.reset(start=tmp_path)
    return replay


def test_without_a_cluster_the_status_is_that_of_this_machine(tmp_path):
    status = api.status()
    assert (status.backend, status.server) == ("local", "")
    assert status.here.cores >= 1
    assert status.here.home == str(tmp_path / "home")
    assert status.runs.value == ()
    assert status.notebooks.knowledge is Knowledge.ABSENT
    assert status.healthy


def test_without_a_cluster_the_contexts_that_could_be_looked_at_are_named(
    replay, tmp_path, monkeypatch, capsys
):
    file = written_kubeconfig(tmp_path, replay.url, "viewer")
    monkeypatch.setattr(DEFAULT, str(file))
    monkeypatch.setenv("KUBECONFIG", str(file))
    assert main(["status"]) == 0
    assert "Your kubeconfig has viewer: KFNB_CONTEXT=viewer looks there." in capsys.readouterr().out
    assert replay.asked == []


def test_a_context_that_does_not_exist_is_a_trouble_and_no_error(viewer, monkeypatch, tmp_path):
    monkeypatch.setenv("KFNB_CONTEXT", "moon")
    settings.reset(start=tmp_path)
    (trouble,) = api.status().troubles
    assert "not found in your kubeconfig; its contexts: viewer" in trouble.what
    assert trouble.fix == "%kf_config context=NAME"


def test_the_contexts_own_namespace_is_looked_at(viewer):
    status = api.status()
    assert (status.within, status.context, status.server) == ("team-a", "viewer", viewer.url)
    assert status.user.value.name == "viewer"


def test_runs_that_a_server_is_slow_to_tell_are_not_waited_for(viewer, monkeypatch):
    monkeypatch.setattr(api, "_RUNS_WITHIN", 0.1)
    monkeypatch.setattr(api.api, "runs", lambda **_: time.sleep(3) or ())
    began = time.monotonic()
    status = api.status()
    assert time.monotonic() - began < 2.5
    assert (status.runs.knowledge, status.runs.reason) == (Knowledge.UNKNOWN, "no answer within 0.1 s")
    assert status.notebooks.known


def test_the_magic_gives_a_status_that_programs_can_use(viewer, shell, monkeypatch, tmp_path):
    value = shell.run("%kf_status -o where")
    assert isinstance(value, Status)
    assert shell["where"] is value
    assert value.notebooks.known
    drawn, _ = shell.ip.display_formatter.format(value)
    assert "namespace team-a" in drawn["text/plain"]
    assert "<table" in drawn["text/html"]


def test_watching_draws_in_one_place_until_it_is_interrupted(viewer, shell, monkeypatch):
    from IPython import display

    looks, drawn = [], []

    class Place:
        def update(self, bundle, raw):
            drawn.append(bundle)

    def shown(bundle, **_):
        drawn.append(bundle)
        return Place()

    def again(place, status):
        looks.append(place)
        if len(looks) == 3:
            raise KeyboardInterrupt
        return gather(place, status)

    monkeypatch.setattr(type(shell.kernel), "attended", True)
    monkeypatch.setattr(api, "_EVERY", 0.01)
    monkeypatch.setattr(api, "gather_again", again)
    monkeypatch.setattr(display, "display", shown)
    assert shell.run("%kf_status --watch -o where") is None
    assert len(drawn) == 3
    assert shell["where"].server


def test_watching_while_nobody_is_there_shows_it_once(viewer, shell, monkeypatch):
    monkeypatch.setattr(type(shell.kernel), "attended", False)
    assert isinstance(shell.run("%kf_status --watch"), Status)


def test_watching_costs_less_than_a_request_a_second(viewer):
    place = api._StatusReader()
    first = place.snapshot()
    viewer.asked.clear()
    place.refreshed(first)
    assert (len(viewer.asked) + 1) / api._EVERY < 1  # and one for the runs of a cluster


def test_what_was_away_is_looked_at_as_a_whole_when_it_is_back(viewer, monkeypatch):
    """What moves alone would leave the user, the quota and the rest unknown for minutes."""
    monkeypatch.setattr(api, "_EVERY", 0.01)
    viewer.faults.append(Fault(times=10_000, status=503))
    looks = api.following()
    assert not next(looks).user.known
    viewer.faults.clear()
    back = next(looks)
    assert back.user.value.name == "viewer"
    assert back.quota.known


def test_the_command_prints_json_in_which_what_is_hidden_says_so(viewer, capsys):
    assert main(["status", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["nodes"] == {
        "knowledge": "hidden",
        "value": None,
        "reason": "viewer may not list nodes (403)",
        "more": 0,
    }
    assert told["namespace"]["value"]["name"] == "team-a"
    assert told["troubles"][0]["kind"] == "yaml"
    assert told["runs"] == {"knowledge": "known", "value": [], "reason": "", "more": 0}


def test_what_is_watched_as_json_is_a_line_each_time(viewer, monkeypatch, capsys):
    seen = api.status()

    def following():
        yield from (seen, seen)
        raise KeyboardInterrupt

    monkeypatch.setattr(api, "following", following)
    assert main(["status", "--watch", "--json"]) == 0
    lines = capsys.readouterr().out.split("\n")
    assert [json.loads(line)["within"] for line in lines if line] == ["team-a", "team-a"]


def test_what_a_cluster_says_does_not_act_on_a_terminal(capsys):
    from kfnb.commands.terminal import notify
    from kfnb.remote.kubernetes.pods import brief

    notify("Kubernetes: \x1b[2J\x1b]0;title\x07no (403)")
    assert "\x1b" not in capsys.readouterr().err
    assert brief("Back-off\x1b[2J \u202epulling\r\nimage").isprintable()


def test_no_token_is_in_a_status(replay, tmp_path, monkeypatch, capsys):
    canary = "canary-7f3a"
    file = written_kubeconfig(tmp_path, replay.url, canary)
    monkeypatch.setattr(DEFAULT, str(file))
    monkeypatch.setenv("KFNB_CONTEXT", canary)
    text = file.read_text().replace(f'"token": "{canary}"', '"token": "secret-9b1c"')
    file.write_text(text)
    settings.reset(start=tmp_path)
    assert main(["status"]) == 0
    assert main(["status", "--json"]) == 0
    said = capsys.readouterr()
    assert "secret-9b1c" not in said.out + said.err
    assert "has expired" in said.out
