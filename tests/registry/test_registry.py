"""A noun is a folder and a row: a made-up one gets magics, verbs, help, JSON, completion and displays of it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import kfnb
from kfnb import registry
from kfnb.cli import main
from kfnb.commands.display import bundle
from kfnb.commands.shell.commands import answers
from kfnb.entities import RunState
from kfnb.errors import BackendError
from tests.conftest import Shell
from tests.ipython.test_completion import complete
from tests.registry.row import KETTLES


class Stove(BaseHTTPRequestHandler):
    """A server of kettles."""

    kettles: dict[str, dict[str, Any]]

    def do_GET(self) -> None:
        name = self.path.rpartition("/")[2]
        if name == "kettles":
            self._answer([self._now(one) for one in self.kettles])
        elif name in self.kettles:
            self._answer(self._now(name))
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        _, _, name, *stop = self.path.split("/")
        if not stop:
            hot = time.monotonic() + body["seconds"]
            self.kettles[name] = {"name": name, "state": "RUNNING", "goal": body["goal"], "hot": hot}
        elif self._now(name)["state"] == "RUNNING":
            self.kettles[name]["state"] = "CANCELED"
        self._answer({})

    def _now(self, name: str) -> dict[str, Any]:
        one = self.kettles[name]
        if one["state"] == "RUNNING" and time.monotonic() >= one["hot"]:
            one["state"] = "SUCCEEDED"
        return one | {"degrees": one["goal"] if one["state"] == "SUCCEEDED" else 20.0}

    def do_DELETE(self) -> None:
        name = self.path.rpartition("/")[2]
        self.send_error(404) if self.kettles.pop(name, None) is None else self._answer({})

    def _answer(self, value: Any) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(value).encode())

    def log_message(self, *_: Any) -> None:
        """Nothing is printed."""


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "NOUNS", [*registry.NOUNS, KETTLES])


@pytest.fixture
def noun(_registered: None, shell: Shell) -> Shell:
    """A notebook whose kfnb knows the noun."""
    shell.run("%reload_ext kfnb")
    return shell


@pytest.fixture
def stove(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server of kettles, where ``kubeflow`` is."""
    handler = type("Handler", (Stove,), {"kettles": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("KETTLES", f"http://127.0.0.1:{server.server_port}")
    yield
    server.shutdown()
    server.server_close()


@pytest.fixture(params=["local", "kubeflow"])
def backend(request: pytest.FixtureRequest, stove: None) -> str:
    """Each engine."""
    return str(request.param)


def test_its_magic_starts_something_binds_it_and_waits_where_no_person_watches(
    noun: Shell, backend: str
) -> None:
    kettle = noun.run(f"%kf_boil tea --backend {backend} -o mine")
    assert noun["mine"] is kettle
    assert kettle.snapshot().boils
    assert kettle.snapshot().backend == backend


def test_its_verb_follows_to_the_end_and_prints_json(
    noun: Shell, backend: str, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["boil", "tea", "--backend", backend, "--json"]) == 0
    out = capsys.readouterr()
    assert out.out.startswith("{"), out.out
    assert json.loads(out.out) == {
        "name": "tea",
        "state": "SUCCEEDED",
        "degrees": 100.0,
        "goal": 100.0,
        "backend": backend,
    }
    assert out.err.splitlines()[0] == "kettle tea"
    assert out.err.splitlines()[-1] == "100 °C"


def test_its_cell_form_gets_the_cell(noun: Shell) -> None:
    listed = noun.run("%%kf_boil --goal 60\ntea\nsoup")
    assert [(one.name, one.degrees) for one in listed] == [("soup", 60.0), ("tea", 60.0)]


@pytest.mark.parametrize(
    "words", ["boil tea --goal 120", "boil", "kettles show nothing", "boil tea --gaol 3"]
)
def test_its_magic_and_its_verb_refuse_in_the_same_words(
    noun: Shell, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    magic = words.replace("kettles show", "kettle")
    told = noun.fails(f"%kf_{magic}")
    assert main(words.split()) != 0
    printed = capsys.readouterr().err
    assert re.sub(r"%kf_\w+", "X", told) == re.sub(r"kfnb [a-z]+", "X", printed).strip()


def test_its_second_word_is_a_verb_of_the_first(noun: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    noun.run("%kf_boil tea")
    assert main(["kettles", "show", "tea"]) == 0
    assert "kettle tea boils" in capsys.readouterr().out
    assert main(["kettles"]) == 0
    assert "100 °C" in capsys.readouterr().out
    assert main(["kettles", "shwo"]) == 2
    assert "did you mean show?" in capsys.readouterr().err
    assert main(["kettles", "show", "tea", "--take-off"]) == 0
    assert "kettle tea is off" in capsys.readouterr().err


def test_its_magic_has_the_verbs_that_its_command_has(
    noun: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    noun.run("%kf_boil tea")
    noun.run("%kf_boil soup")
    capsys.readouterr()
    noun.run("%kf_kettles empty tea")
    assert capsys.readouterr().out.strip() == "kettle tea is empty"
    assert [one.name for one in noun.run("%kf_kettles")] == ["soup"]
    assert main(["kettles", "empty", "soup"]) == 0
    assert list(noun.run("%kf_kettles --backend local")) == []


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("%kf_kettles emtpy tea", "%kf_kettles: unknown verb emtpy; did you mean empty?"),
        ("%kf_kettles empty", "%kf_kettles empty: the following arguments are required: name"),
        ("%kf_kettles empty nothing", "unknown kettle nothing"),
        ("%kf_kettles empty tea --gaol", "%kf_kettles empty: unknown option --gaol"),
    ],
)
def test_a_verb_of_a_magic_refuses_in_its_own_name(noun: Shell, line: str, told: str) -> None:
    assert told in noun.fails(line)


def test_the_verbs_of_a_magic_are_in_its_help_and_are_completed(
    noun: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    noun.run("%kf_boil tea -o mine")
    capsys.readouterr()
    noun.run("%kf_kettles --help")
    assert "%kf_kettles empty to pour a kettle out" in capsys.readouterr().out
    noun.run("%kf_kettles empty --help")
    assert "usage: %kf_kettles empty" in capsys.readouterr().out
    assert complete(noun, "%kf_kettles ") == ["empty"]
    assert complete(noun, "%kf_kettles em") == ["empty"]
    assert complete(noun, "%kf_kettles empty ")[:2] == ["mine", "tea"]
    assert complete(noun, "%kf_kettles empty tea --ba") == ["--backend"]


def test_it_is_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "put a kettle on" in capsys.readouterr().out
    assert main(["kettles", "--help"]) == 0
    out = capsys.readouterr().out
    assert "usage: kfnb kettles" in out
    assert "kfnb kettles show" in out
    assert "--json" in out


def test_its_magics_have_help_and_are_taken_away_with_the_rest(noun: Shell) -> None:
    magics = noun.ip.magics_manager.magics
    assert "usage: %kf_boil" in magics["line"]["kf_boil"].__doc__
    assert "usage: %%kf_boil" in magics["cell"]["kf_boil"].__doc__
    noun.run("%unload_ext kfnb")
    assert "kf_boil" not in magics["line"]


def test_its_names_are_completed(noun: Shell) -> None:
    noun.run("%kf_boil tea -o mine")
    assert complete(noun, "%kf_kettle ")[:2] == ["mine", "tea"]
    assert complete(noun, "%kf_boil x --backend ") == ["local", "kubeflow"]
    assert answers("kfnb kettles show te") == ["tea"]
    assert answers("kfnb kettl") == ["kettles"]
    assert answers("kfnb kettles s") == ["show"]


def test_what_it_gives_is_displayed(noun: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    kettle = noun.run("%kf_boil tea")
    assert bundle(kettle)["text/plain"].endswith("kettle tea boils")
    capsys.readouterr()
    noun.ip.display_formatter.format(kettle)  # it displays itself, as what may be live does
    assert "kettle tea boils</div>" in capsys.readouterr().out
    formatted, _ = noun.ip.display_formatter.format(noun.run("%kf_kettles"))
    assert "100 °C" in formatted["text/html"]


def test_it_is_stopped_and_then_taken_off(
    noun: Shell, backend: str, capsys: pytest.CaptureFixture[str]
) -> None:
    kfnb.boil("tea", seconds=60, backend=backend)
    where = f"--backend {backend}"
    noun.run(f"%kf_kettle tea --stop {where} -o mine")
    assert noun["mine"].wait().snapshot().state is RunState.CANCELED
    assert main(["kettles", "show", "tea", "--take-off", *where.split()]) == 0
    assert capsys.readouterr().err.strip().endswith("kettle tea is off")
    assert list(kfnb.kettles(backend=backend)) == []


def test_what_is_heated_here_outlives_the_process_that_put_it_on(
    noun: Shell,
) -> None:
    program = "import sys; from tests.registry.kettles import api; api.boil('tea', seconds=60)"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[2])
    kettle = noun.run("%kf_kettle tea")
    assert not kettle.snapshot().state.finished
    with pytest.raises(BackendError, match="kettle tea is still running; stop it first, or wait for it"):
        kettle.take_off()
    kettle.stop()
    assert kettle.wait().snapshot().state is RunState.CANCELED


def test_its_functions_are_public() -> None:
    assert kfnb.boil.__doc__ == "Put a kettle on and return its handle at once."
    assert "boil" in dir(kfnb)


def test_advice_that_names_its_magic_names_its_verb_in_a_terminal() -> None:
    from kfnb.commands.terminal import in_terminal

    assert in_terminal("%kf_kettle tea shows it") == "kfnb kettles show tea shows it"
