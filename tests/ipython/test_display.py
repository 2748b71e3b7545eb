"""What a real kernel sends to the notebook for a run: with a person before it, and without."""

from __future__ import annotations

import queue
import re
import shutil
import time
from dataclasses import dataclass, field

import pytest

import kfnb
from kfnb.ui.words import width
from tests.ipython.started_kernel import started_kernel

STEPS = """
%%kf_component wait --param seconds:float=0.1
import time
time.sleep(seconds)
waited = seconds
"""
BRANCH = """
%%kf_component check --output odd
if waited < 0:
    raise ValueError("time runs forward")
odd = waited + 1
unread = "text"
"""


# what goes to the live picture: tests/ipython/test_board.py
COMM = ("comm_open", "comm_msg")


@dataclass
class Cell:
    """What a cell has sent: its messages, as (type, content), until it was done."""

    id: str
    messages: list = field(default_factory=list)

    def add(self, kind, content):
        """Keep a message. As in a notebook, text of one stream that comes in two messages is one output."""
        last = self.messages[-1] if self.messages else (None, {})
        if kind == last[0] == "stream" and content["name"] == last[1]["name"]:
            self.messages[-1] = (kind, content | {"text": last[1]["text"] + content["text"]})
        elif kind != "update_display_data":
            self.messages.append((kind, content))

    def contents(self, *kinds):
        return [content for kind, content in self.messages if kind in kinds]

    @property
    def pictures(self):
        """The texts of what it displayed at first."""
        return [content["data"]["text/plain"] for content in self.contents("display_data")]

    @property
    def places(self):
        return [content["transient"]["display_id"] for content in self.contents("display_data")]

    @property
    def kinds(self):
        return [kind for kind, _ in self.messages if kind not in ("status", "execute_input", *COMM)]


class Notebook:
    """A client of a real kernel, which hears all that the kernel says to anybody."""

    def __init__(self, client):
        self.client = client
        self.updates = []
        self.noise = []

    def run(self, code, *, attended=True, wait=60.0):
        """Run a cell and give back all that it sends until it is done."""
        cell = Cell(self.client.execute(code.strip(), allow_stdin=attended))
        self._hear(wait, until=lambda message: self._ends(message, cell))
        return cell

    def _ends(self, message, cell):
        if message["parent_header"].get("msg_id") != cell.id:
            return False
        cell.add(message["header"]["msg_type"], message["content"])
        return message["content"].get("execution_state") == "idle"

    def hear(self, seconds):
        """Listen for a while as no cell runs."""
        self._hear(seconds, until=lambda message: False, strict=False)

    def hear_until(self, place, word, wait=60.0):
        """Listen until the picture in a place says a word."""

        def said(message):
            return any(word in picture for picture in self.history(place))

        if not said(None):
            self._hear(wait, until=said)
        return self.history(place)

    def history(self, place):
        """The pictures that a place has shown after its first."""
        return [
            content["data"]["text/plain"]
            for content in self.updates
            if content["transient"]["display_id"] == place
        ]

    def _hear(self, seconds, *, until, strict=True):
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                message = self.client.get_iopub_msg(timeout=left)
            except queue.Empty:
                break
            kind = message["header"]["msg_type"]
            if kind == "update_display_data":
                self.updates.append(message["content"])
            elif kind == "stream":
                self.noise.append(message["content"]["text"])
            if until(message):
                return
        assert not strict, "the kernel went silent"


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    folder = tmp_path_factory.mktemp("notebook")
    with started_kernel(folder, folder / "home") as client:
        notebook = Notebook(client)
        notebook.home = folder / "home"
        for code in ("%load_ext kfnb", STEPS, BRANCH, "%kf_pipeline p wait check"):
            cell = notebook.run(code)
            assert "error" not in cell.kinds, cell.messages
        yield notebook


@pytest.fixture(autouse=True)
def _no_noise(notebook):
    """No thread complains."""
    notebook.noise.clear()
    yield
    notebook.hear(0.2)
    assert not [text for text in notebook.noise if "Traceback" in text or "Exception" in text]


def test_with_a_person_submit_returns_at_once_and_the_picture_changes(notebook):
    cell = notebook.run("%kf_submit p --seconds 1.5 -o run")
    assert cell.kinds == ["display_data"]
    assert "Succeeded" not in cell.pictures[0].splitlines()[0]
    history = notebook.hear_until(cell.places[0], "✓ Succeeded ·")
    assert any("● Running" in picture for picture in history[:-1])
    assert history[-1].startswith("✓ Succeeded · p")
    assert "wait" in history[-1]
    heard = len(notebook.updates)
    notebook.hear(1.5)
    assert len(notebook.updates) == heard  # a run that is finished changes no more


def test_the_last_picture_is_the_one_that_a_later_display_shows(notebook):
    cell = notebook.run("%kf_submit p --seconds 0.3 -o run")
    last = notebook.hear_until(cell.places[0], "✓ Succeeded ·")[-1]
    assert notebook.run("run").pictures == [last]


def test_other_cells_do_not_get_in_the_way(notebook):
    cell = notebook.run("%kf_submit p --seconds 1.2 -o run")
    for number in range(5):
        other = notebook.run(f"print({number})")
        assert other.kinds == ["stream"]
    assert notebook.hear_until(cell.places[0], "✓ Succeeded ·")


def test_two_runs_at_once_and_one_displayed_twice_all_reach_their_last_picture(notebook):
    first = notebook.run("%kf_submit p --seconds 1.1 -o first")
    second = notebook.run("%kf_submit p --seconds 1.3 -o second")
    again = notebook.run("first")
    threads = "import threading; sum(thread.name.startswith('kfnb-') for thread in threading.enumerate())"
    assert notebook.run(threads).contents("execute_result")[0]["data"]["text/plain"] in ("1", "2")
    places = [*first.places, *second.places, *again.places]
    assert len(set(places)) == 3
    for place in places:
        notebook.hear_until(place, "✓ Succeeded ·")
    assert notebook.history(first.places[0])[-1] == notebook.history(again.places[0])[-1]
    assert "seconds  1.3" in notebook.history(second.places[0])[-1]
    notebook.hear(1)
    assert notebook.run(threads).contents("execute_result")[0]["data"]["text/plain"] == "0"


def test_a_run_that_fails_shows_its_error_first(notebook):
    cell = notebook.run("%kf_submit p --seconds=-1 -o run")
    last = notebook.hear_until(cell.places[0], "✗ Failed ·")[-1]
    assert last.index("failed") < last.index("Tasks")


def test_a_run_whose_folder_is_removed_keeps_its_last_picture(notebook):
    cell = notebook.run("%kf_submit p --seconds 30 -o run")
    notebook.hear_until(cell.places[0], "● Running")
    name = notebook.run("run.id").contents("execute_result")[0]["data"]["text/plain"].strip("'")
    notebook.run("run.stop(); 1")
    while (folder := notebook.home / "runs" / name).exists():
        shutil.rmtree(folder, ignore_errors=True)  # SQLite may remove a file of its own at the same moment
    notebook.hear(2)
    heard = len(notebook.updates)
    notebook.hear(1)
    assert len(notebook.updates) == heard
    gone = notebook.run("run")
    assert not gone.contents("display_data", "error")
    assert any("RunNotFound" in content["text"] for content in gone.contents("stream"))


def test_without_a_person_the_last_picture_is_displayed_once(notebook):
    cell = notebook.run("%kf_submit p --seconds 0.4 -o run", attended=False)
    assert cell.kinds == ["display_data"]
    assert cell.pictures[0].startswith("✓ Succeeded · p")
    heard = len(notebook.updates)
    notebook.hear(1)
    assert len(notebook.updates) == heard


def test_without_a_person_a_failed_run_is_displayed_and_then_its_error(notebook):
    cell = notebook.run("%kf_submit p --seconds=-1 -o run", attended=False)
    assert cell.kinds == ["display_data", "error"]
    assert cell.pictures[0].startswith("✗ Failed · p")
    assert cell.contents("error")[0]["ename"] == "RunFailed"


def test_outputs_that_nobody_reads_yet_are_folded(notebook):
    cell = notebook.run("%kf_show check")
    (content,) = cell.contents("execute_result")
    assert "<details" in content["data"]["text/html"]
    assert "Outputs if a later step reads them: unread" in content["data"]["text/html"]


def test_a_terminal_shows_a_run_once_and_within_100_columns(shell, capsys, monkeypatch):
    monkeypatch.setattr(type(shell.ip), "_instance", shell.ip)  # which IPython's display() prints through
    shell.run(STEPS.strip())
    shell.run("%kf_pipeline q wait")
    run = shell.run("%kf_submit q --seconds 0.2 -o run")
    run.wait(60)
    capsys.readouterr()
    shell.ip.run_cell("display(run)")
    said = capsys.readouterr().out
    assert said.count("Succeeded · q") == 1
    assert max(map(width, said.splitlines())) <= 100
    assert run.state is kfnb.RunState.SUCCEEDED


def test_a_cell_that_waits_for_a_run_that_is_shown_says_a_line_and_draws_nothing(notebook):
    shown = notebook.run("%kf_submit p --seconds 0.2 -o run")
    waited = notebook.run("run.wait()")
    assert waited.kinds == ["stream"]
    text = waited.contents("stream")[0]["text"]
    assert re.fullmatch(
        r"run \S+ of p: Succeeded after .* A cell above shows it; %kf_run \S+ draws it here\n", text
    )
    assert notebook.hear_until(shown.places[0], "✓ Succeeded ·")
    assert notebook.run("run").kinds == ["display_data"]


def test_a_cell_that_waits_for_a_run_that_nothing_shows_draws_it(notebook):
    notebook.run("import kfnb; hidden = kfnb.submit('p', {'seconds': 0.1})")
    assert notebook.run("hidden.wait()").kinds == ["display_data"]
