"""What is seen of a service: the same in HTML and text, and the page gets only what looks different."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from service_samples import NOW, counted, revision, service, with_canary

from kfnb.entities.label_score import LabelScore
from kfnb.live.contents import Content
from kfnb.resources.services.model import (
    Counters,
    CountSample,
    RevisionState,
    ServiceSnapshot,
    ServiceState,
)
from kfnb.resources.services.view.service import draw_service, sections
from kfnb.resources.services.view.services import draw_services
from kfnb.resources.services.view.use import curl_line
from kfnb.resources.services.wire import ServiceWire


def text(now: ServiceSnapshot) -> str:
    return draw_service(now)["text/plain"]


def html(now: ServiceSnapshot) -> str:
    return draw_service(now)["text/html"]


# -- what is seen ------------------------------------------------------------------------------------------------------


def test_everything_about_a_service_with_a_canary_is_seen() -> None:
    shown = text(with_canary())
    lines = " ".join(shown.split())
    assert (
        "churn@7 differs from the answers in 12 of 3,000 rows: 0.4 % (95 % interval 0.23 to 0.7 %)" in lines
    )
    for line in (
        r"✓ Ready · churn · local",
        r"requested +█+▒  churn@3 99 %, churn@7 1 %",
        r"now +█+▒  churn@3 99 %, churn@7 1 %",
        r"Version  Requests  A second  Errors  p50 ms  p95 ms  p99 ms  Bad inputs",
        r"churn@3 +2,970 +9\.9 +13 ",
        r"churn@7 +canary +30 +0 +0 % +0 to 11 %",
        r"Not enough yet: 30 requests of [\d,]+\.",
        r"4 copies\s+were left out",
        r"churn@3 +422 Unprocessable \w+ +12 +0\.4 %",
        r"churn@3 +missing column +income +7",
        r"churn@3 +422 +bad-input +missing column",
        r"kfnb\.service\('churn'\)\.predict\(rows\)",
        r"canary +churn@3 100 % +churn@3 99 %, churn@7 1 % +ada +fewer false alarms",
    ):
        assert re.search(line, shown), f"{line} is missing in\n{shown}"
    assert max(len(line) for line in shown.splitlines() if "curl" not in line) <= 100


def test_how_right_each_version_was_is_seen_where_labels_came() -> None:
    now = with_canary()
    default, canary = now.revisions
    known = replace(default, labels=LabelScore(200, 150)), replace(canary, labels=LabelScore(4, 1, 4, 0.5))
    shown = text(replace(now, revisions=known))
    assert re.search(r"Bad inputs +Labels +Accuracy +Mean error", shown)
    assert re.search(r"churn@3 .* 200 +0\.75", shown)
    assert re.search(r"churn@7 .* 4 +0\.125", shown)
    assert "Accuracy" not in text(now)


def test_requests_that_are_not_kept_are_counted_where_there_are_some() -> None:
    now = service(revision(1, 3, "default", 100, replace(counted(300), dropped=1234)))
    assert re.search(r"Not kept\s", text(now))
    assert "1,234" in text(now)
    assert "Not kept" not in text(with_canary())


def test_charts_are_named_for_those_who_do_not_see_them() -> None:
    shown = html(with_canary())
    assert 'role="img" aria-label="requested: churn@3 99 %, churn@7 1 %"' in shown
    assert 'role="img" aria-label="Requests a second until' in shown
    assert 'aria-label="Service churn"' in shown


def test_a_service_that_nothing_was_asked_of_shows_no_empty_tables() -> None:
    now = service(revision(1, 3, "default", 100, Counters()))
    assert [one.id for one in sections(now) if one.blocks] == ["summary", "traffic", "use", "changes"]


def test_shares_that_are_not_true_yet_are_told() -> None:
    default, canary = with_canary().revisions
    late = replace(with_canary(), revisions=(replace(default, share=100.0), replace(canary, share=0.0)))
    assert "not the requested ones yet" in text(late)
    assert re.search(r"now +█+  churn@3 100 %, churn@7 0 %", text(late))
    unknown = tuple(replace(one, share=None) for one in (default, canary))
    assert "The true shares are not known." in text(replace(late, revisions=unknown))


@pytest.mark.parametrize(
    ("canary", "words"),
    [
        (counted(400, 60), "churn@7 fails more often than churn@3 (p < 0.0001, Fisher's exact test)."),
        (counted(4000, 8), "churn@7 is as good as churn@3: its error rate is at most 0."),
        (counted(2), "Not enough yet: 2 requests of "),
    ],
)
def test_the_verdict_is_in_words(canary: Counters, words: str) -> None:
    default = revision(1, 3, "default", 99, counted(40_000, 80))
    shown = text(service(default, revision(2, 7, "canary", 1, canary)))
    assert words in " ".join(shown.split())


def test_rates_are_those_between_samples() -> None:
    recent = (CountSample(NOW - 20, 0, 0), CountSample(NOW - 10, 50, 0), CountSample(NOW, 50, 0))
    shown = text(service(revision(1, 3, "default", 100, replace(counted(50), recent=recent))))
    assert re.search(r"Requests a second until \d\d:\d\d:\d\d\n  churn@3  █▁  at most 5", shown)


@given(st.lists(st.tuples(st.floats(0, 1e10), st.integers(0, 10**9)), max_size=20))
@example([(0.0, 0), (2.2250738585e-313, 1)])
def test_no_samples_break_the_chart(points: list[tuple[float, int]]) -> None:
    recent = tuple(CountSample(at, requests, 0) for at, requests in points)
    assert text(service(revision(1, 3, "default", 100, replace(counted(1), recent=recent))))


def test_the_copies_that_a_shadow_gets_are_no_requests_of_the_service() -> None:
    now = service(revision(1, 3, "default", 100, counted(7)), revision(2, 7, "shadow", 0, counted(221, 4)))
    shown = draw_services([now])["text/plain"]
    assert re.search(r"Ready .* 7 +0  http", shown), shown


def test_a_service_that_is_stopped_offers_no_address() -> None:
    stopped = replace(with_canary(), state=ServiceState.STOPPED)
    assert "4711" not in text(stopped)
    assert curl_line(stopped) == ""


# -- the line for a shell ----------------------------------------------------------------------------------------------


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
@pytest.mark.parametrize("protected", [False, True])
def test_the_line_for_a_shell_asks_the_service_and_keeps_the_token_secret(
    tmp_path: Path, protected: bool
) -> None:
    heard: list[tuple[str, str | None, bytes]] = []

    class Listening(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            heard.append((self.path, self.headers.get("authorization"), body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Listening)
    thread = threading.Thread(target=server.handle_request)
    thread.start()
    token = tmp_path / "it's a token"
    token.write_text("s3cret\n")
    (tmp_path / "rows.json").write_text('{"instances": [[1]]}')
    now = replace(
        with_canary(),
        url=f"http://127.0.0.1:{server.server_port}",
        token_file=str(token) if protected else "",
    )
    line = curl_line(now)
    assert "s3cret" not in line
    assert "$(" not in line, "the arguments of a process can be read by others"
    subprocess.run(["sh", "-c", line], cwd=tmp_path, check=True, capture_output=True, timeout=30)
    thread.join()
    server.server_close()
    assert heard == [
        ("/v1/models/churn:predict", "Bearer s3cret" if protected else None, b'{"instances": [[1]]}')
    ]


def test_an_address_from_elsewhere_is_quoted() -> None:
    hostile = "http://x/;touch pwned'$(id)"
    words = shlex.split(curl_line(replace(with_canary(), url=hostile)))
    assert words[1] == f"{hostile}/v1/models/churn:predict"


# -- the wire ----------------------------------------------------------------------------------------------------------


def applied(known: Content, news: Content) -> Content:
    """What the page knows after a change."""
    parts = {one["id"]: dict(one) for one in known.parts}
    for one in news.parts:
        parts[one["id"]].update(one)
    return Content({**known.head, **news.head}, list(parts.values()))


def moments() -> Sequence[ServiceSnapshot]:
    """A service as it goes on."""
    first = with_canary()
    default, canary = first.revisions
    busier = replace(
        first, revisions=(replace(default, counters=counted(3000, 20)), replace(canary, counters=counted(40)))
    )
    failed = replace(canary, state=RevisionState.FAILED, share=0.0, error="<b>no</b>")
    return (
        first,
        busier,
        replace(busier, revisions=(default, failed), state=ServiceState.DEGRADED),
        replace(first, notes=("a note",)),
        service(revision(1, 3, "default", 100, Counters())),
        replace(first, state=ServiceState.STOPPED),
    )


@given(st.lists(st.sampled_from(range(6)), min_size=2, max_size=6))
@settings(deadline=None, max_examples=30)
def test_changes_add_up_to_the_whole(path: list[int]) -> None:
    wire, seen = ServiceWire(), [moments()[at] for at in path]
    known = wire.whole(seen[0])
    for old, new in pairwise(seen):
        known = applied(known, wire.change(old, new))
    whole = wire.whole(seen[-1])
    assert (dict(known.head), list(known.parts)) == (dict(whole.head), list(whole.parts))


def test_only_what_looks_different_is_sent() -> None:
    now = with_canary()
    assert not ServiceWire().change(now, replace(now))
    found = ServiceWire().change(now, replace(now, notes=("a note",)))
    assert [one["id"] for one in found.parts] == ["notes"]
    assert found.head == {}


def test_what_may_be_done_depends_on_what_is_served() -> None:
    head = lambda now: dict(ServiceWire().whole(now).head["actions"])  # noqa: E731
    now = with_canary()
    assert head(now) == {
        "promote": "Send all requests to churn@7?",
        "rollback": "End the canary churn@7?",
        "stop": "Stop service churn?",
    }
    default, canary = now.revisions
    starting = replace(now, revisions=(default, replace(canary, state=RevisionState.PENDING)))
    assert set(head(starting)) == {"rollback", "stop"}, "what is not ready is not promoted"
    alone = service(default)
    assert set(head(alone)) == {"stop"}
    before = replace(alone, desired=replace(alone.desired, earlier=(canary.target,)))
    assert head(before)["rollback"] == "Go back to churn@7?"
    assert head(replace(now, state=ServiceState.STOPPED)) == {}
