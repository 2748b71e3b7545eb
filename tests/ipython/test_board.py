"""What a real kernel tells the page that shows its runs live, and what it answers."""

from __future__ import annotations

import contextlib
import json
import queue
import time

import ipykernel
import pytest

from tests.ipython.started_kernel import started_kernel

STEPS = """
%%kf_component wait --param seconds:float=0.1
import time
for turn in range(3):
    print("turn", turn)
    time.sleep(seconds / 3)
waited = seconds
"""
CHECK = """
%%kf_component check --output odd
if waited < 0.05:
    raise ValueError("<b>too short</b>")
odd = waited + 1
"""


class Page:
    """A client of a kernel that hears its comm, as a page does."""

    def __init__(self, client):
        self.client = client
        self.comm = None
        self.subshell = ""
        self.opened = 0
        self.heard = []
        self.buffers = []
        self.shown = []

    def run(self, code, *, attended=True):
        """Run a cell to its end."""
        id = self.client.execute(code.strip(), allow_stdin=attended)
        ends = self.hear_until(lambda message: _is_end(message, id))
        assert ends, "the cell did not end"

    def ask(self, **words):
        """Send what a page asks, of a run unless it says of what."""
        data = {"method": "custom", "content": {"type": "run", **words}}
        message = self.client.session.msg("comm_msg", {"comm_id": self.comm, "data": data})
        if self.subshell:
            message["header"]["subshell_id"] = self.subshell
        self.client.shell_channel.send(message)

    @contextlib.contextmanager
    def in_a_subshell(self):
        """Ask as JupyterLab does, where a kernel has subshells: so that a cell that runs need not end first."""
        channel = self.client.control_channel
        channel.send(self.client.session.msg("create_subshell_request"))
        reply = channel.get_msg(timeout=10)
        self.subshell = reply["content"]["subshell_id"]
        yield
        self.subshell = ""

    def status_of(self, cell):
        """How a cell ended, by its id."""
        while (reply := self.client.get_shell_msg(timeout=60))["parent_header"].get("msg_id") != cell:
            pass
        return reply["content"]["status"]

    def hear_until(self, wanted, seconds=60.0):
        """Listen until a message is ``wanted``, which is given back."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                message = self.client.get_iopub_msg(timeout=left)
            except queue.Empty:
                return None
            self._take(message)
            if wanted(message):
                return message
        return None

    def _take(self, message):
        kind, content = message["header"]["msg_type"], message["content"]
        if kind == "comm_open" and content["target_name"] == "jupyter.widget":
            state = content["data"]["state"]
            if "token" in state:
                self.comm, self.token = content["comm_id"], state["token"]
                self.opened += 1
        if kind == "comm_msg" and content["comm_id"] == self.comm:
            self.heard.append(content["data"].get("content"))
            self.buffers.append([bytes(buffer) for buffer in message["buffers"]])
        if kind in ("display_data", "update_display_data", "execute_result"):
            self.shown.append(content["data"])

    def told(self, kind, seconds=60.0, **fields):
        """The first message of a kind with these fields, heard already or still to come."""

        def fits(one):
            return one and one["kind"] == kind and all(one.get(name) == is_ for name, is_ in fields.items())

        if not any(map(fits, self.heard)):
            found = self.hear_until(lambda _: self.heard and fits(self.heard[-1]), seconds)
            assert found, f"never heard {kind} with {fields}; heard {self.heard[-3:]}"
        return next(filter(fits, self.heard))

    def shows(self, html):
        """Whether something that was displayed holds this HTML."""
        return any(html in one.get("text/html", "") for one in self.shown)

    def state_of(self, run_id):
        """A run's state as the page knows it."""
        state = ""
        for one in self.heard:
            if one and one["kind"] in ("whole", "change") and one["id"] == run_id:
                state = one["head"].get("state", state)
        return state

    def see_end(self, run_id, seconds=60.0):
        """Listen until a run is known to be finished; its state."""
        done = ("SUCCEEDED", "FAILED", "CANCELED")
        if self.state_of(run_id) not in done:
            assert self.hear_until(lambda _: self.state_of(run_id) in done, seconds)
        return self.state_of(run_id)

    def submit(self, words=""):
        """Submit the pipeline; the run's id, as the page is told of it."""
        self.heard.clear()
        self.buffers.clear()
        self.run(f"%kf_submit p {words}")
        return self.told("whole")["id"]


def _is_end(message, id):
    return (
        message["parent_header"].get("msg_id") == id and message["content"].get("execution_state") == "idle"
    )


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("notebook")
    with started_kernel(folder, folder / "home") as client:
        page = Page(client)
        for code in ("%load_ext kfnb", STEPS, CHECK, "%kf_pipeline p wait check"):
            page.run(code)
        yield page


def test_a_run_is_told_without_being_asked_and_so_is_each_change(page):
    run_id = page.submit("--seconds 0.6")
    assert page.see_end(run_id) == "SUCCEEDED"
    changes = [one for one in page.heard if one and one["kind"] == "change" and one["id"] == run_id]
    assert [one["seq"] for one in changes] == list(range(1, len(changes) + 1))
    assert all(len(json.dumps(task)) < 1024 for one in changes for task in one["parts"])


def test_the_static_picture_bears_the_mark_that_the_page_looks_for(page):
    page.shown.clear()
    run_id = page.submit()
    assert page.shows(f'data-kfnb="{page.token}" data-kfnb-type="run" data-kfnb-id="{run_id}"')
    page.see_end(run_id)


def test_all_runs_share_one_model(page):
    page.see_end(page.submit())
    page.see_end(page.submit())
    assert page.opened == 1


def test_a_page_that_is_loaded_anew_is_told_all_of_a_run_that_is_finished(page):
    run_id = page.submit()
    page.see_end(run_id)
    page.heard.clear()
    page.ask(do="watch", id=run_id)
    assert page.told("whole")["head"]["state"] == "SUCCEEDED"


def test_a_task_s_details_are_html_that_is_escaped(page):
    run_id = page.submit("--seconds 0.01")
    assert page.see_end(run_id) == "FAILED"
    page.ask(do="detail", id=run_id, part="check")
    html = page.told("detail")["html"]
    assert "&lt;b&gt;too short" in html
    assert "<b>too short" not in html
    assert "waited" in html


def test_a_log_comes_as_it_is_written_and_stops_when_it_is_not_wanted(page):
    run_id = page.submit("--seconds 3")
    page.ask(do="log", id=run_id, part="wait", on=True)
    first = page.told("log", first=0)
    assert page.buffers[page.heard.index(first)] == [b"turn 0\n"]
    assert not first["ended"]
    page.ask(do="log", id=run_id, part="wait", on=False)
    page.ask(do="log", id=run_id, part="wait", on=True)
    assert page.see_end(run_id) == "SUCCEEDED"
    page.told("log", ended=True)
    logs = [index for index, one in enumerate(page.heard) if one and one["kind"] == "log"]
    again = next(index for index in logs[1:] if page.heard[index]["first"] == 0)
    lines = b"".join(buffer for index in logs if index >= again for buffer in page.buffers[index])
    assert lines == b"turn 0\nturn 1\nturn 2\n"


def test_a_whole_log_is_sent_to_be_saved_and_its_lines_with_their_times(page):
    run_id = page.submit("--seconds 1")
    assert page.see_end(run_id) == "SUCCEEDED"
    page.ask(do="save", id=run_id, part="wait")
    file = page.told("file", last=True)
    assert file["name"] == "wait.log"
    assert page.buffers[page.heard.index(file)] == [b"turn 0\nturn 1\nturn 2\n"]
    page.ask(do="log", id=run_id, part="wait", on=True)
    line, at = page.told("log", first=0)["times"][0]
    assert (line, 0 <= time.time() - at < 60) == (0, True)


def test_a_run_is_stopped_from_the_page_and_tried_again(page):
    run_id = page.submit("--seconds 60")
    page.ask(do="stop", id=run_id)
    assert page.see_end(run_id) == "CANCELED"
    assert page.told("reply", id=run_id)["ok"]
    page.heard.clear()
    page.ask(do="retry", id=run_id)
    page.told("whole", id=run_id)
    assert page.hear_until(lambda _: page.state_of(run_id) == "RUNNING")
    page.ask(do="stop", id=run_id)
    assert page.see_end(run_id) == "CANCELED"


@pytest.mark.skipif(ipykernel.version_info[0] < 7, reason="its kernels have no subshells")
def test_what_is_asked_while_a_cell_runs_is_done_at_once_and_the_cell_goes_on_as_one(page):
    page.run("ends = []; get_ipython().events.register('post_execute', lambda: ends.append(1))")
    run_id = page.submit("--seconds 60")
    cell = page.client.execute("import time; before = len(ends); time.sleep(8); assert len(ends) == before")
    with page.in_a_subshell():
        page.ask(do="stop", id=run_id)
        began = time.monotonic()
        assert page.see_end(run_id) == "CANCELED"
        assert time.monotonic() - began < 7
    assert page.status_of(cell) == "ok"


def test_a_run_that_is_tried_again_from_the_page_is_kept_up_to_date_in_the_notebook(page):
    run_id = page.submit("--seconds 0.01")
    assert page.see_end(run_id) == "FAILED"
    page.hear_until(lambda _: page.shows("Failed"))
    page.shown.clear()
    page.ask(do="retry", id=run_id)
    assert page.hear_until(lambda _: page.shows(run_id))


def test_nobody_looks_any_more_and_nothing_more_is_said(page):
    run_id = page.submit("--seconds 2")
    page.ask(do="leave", id=run_id)
    page.hear_until(lambda _: False, 1)
    of_it = lambda: [one for one in page.heard if one.get("id") == run_id]  # noqa: E731 - others may go on
    heard = of_it()
    page.hear_until(lambda _: False, 2.5)
    assert of_it() == heard
    page.ask(do="watch", id=run_id)
    assert page.see_end(run_id) == "SUCCEEDED"


def test_what_cannot_be_done_is_said(page):
    page.heard.clear()
    page.ask(do="watch", id="no-such-run")
    said = page.told("reply", id="no-such-run")
    assert not said["ok"]
    assert "no-such-run" in said["text"]
    for odd in ({"do": "dance"}, {"do": "log", "id": "r"}, {"do": "retry", "type": "runs", "id": "r"}):
        page.heard.clear()
        page.ask(**odd)
        assert not page.told("reply")["ok"]


def test_a_table_of_runs_is_told_and_told_anew(page):
    run_id = page.submit()
    page.see_end(run_id)
    page.shown.clear()
    page.run("%kf_runs --limit 2")
    table = page.told("whole", type="runs")
    assert table["parts"][0]["id"] == run_id
    assert page.shows(f'data-kfnb-type="runs" data-kfnb-id="{table["id"]}"')
    newer = page.submit()
    page.ask(do="watch", type="runs", id=table["id"])
    assert page.told("whole", id=table["id"])["parts"][0]["id"] == newer
    page.see_end(newer)


def test_without_a_person_there_is_no_model_and_no_mark(page):
    page.shown.clear()
    page.heard.clear()
    page.run("%kf_submit p --name alone", attended=False)
    pictures = [one["text/html"] for one in page.shown if "alone" in one["text/html"]]
    assert pictures
    assert not any("data-kfnb" in picture for picture in pictures)
    assert not page.heard
