"""Steps by themselves: what is refused, how alerts go out, and that no password is shown."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest

from kfnb.errors import UsageError
from kfnb.resources.monitors.actions.occasion import Occasion
from kfnb.resources.monitors.actions.steps import after, checked, take
from kfnb.resources.monitors.model import Action, Alarm, MonitorSpec, Report, Rule


class Hook(BaseHTTPRequestHandler):
    """A webhook that keeps what it gets."""

    got: ClassVar[list[dict[str, Any]]] = []
    status = 200

    def do_POST(self) -> None:
        self.got.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(type(self).status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hook() -> Iterator[str]:
    """The address of a webhook."""
    Hook.got, Hook.status = [], 200
    server = HTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/services/T0/secret-path"
    server.shutdown()
    server.server_close()


def occasion(text: str, addresses: dict[str, str] | None = None, **given: Any) -> Occasion:
    spec = MonitorSpec("churn", "churn", "data@1", (Rule("drift", 0.2),), then=(text,))
    alarm = Alarm(1, "drift", 0.0, "drift of age (0.5, limit 0.2)")
    return Occasion(
        spec, alarm, Report(0, 1, 1000, version="churn@1"), text, 5.0, addresses=addresses or {}, **given
    )


def test_a_webhook_gets_the_alarm_and_its_address_is_shown_nowhere(hook: str) -> None:
    (text,), addresses = checked((f"alert:{hook}",))
    assert text == "alert:http://127.0.0.1/***"
    at = occasion(text, addresses)
    outcome = take(at)
    assert (outcome.state, outcome.detail) == ("done", "sent to 127.0.0.1")
    (message,) = Hook.got
    assert (message["monitor"], message["alarm"], message["event"]) == ("churn", 1, "ALARM")
    assert message["text"] == "churn: drift of age (0.5, limit 0.2)"
    assert "secret-path" not in repr(at) + repr(after(at, 1, 0, outcome))


def test_a_webhook_that_refuses_is_a_failure_without_its_address(hook: str) -> None:
    Hook.status = 403
    (text,), addresses = checked((f"alert:{hook}",))
    outcome = take(occasion(text, addresses))
    assert outcome.state == "failed"
    assert "status 403" in outcome.detail
    assert "secret-path" not in outcome.detail


def test_a_webhook_that_is_gone_is_a_failure_without_its_address() -> None:
    (text,), addresses = checked(("alert:http://127.0.0.1:9/secret-path",))
    outcome = take(occasion(text, addresses))
    assert outcome.state == "failed"
    assert "secret-path" not in outcome.detail


def test_a_function_of_a_module_is_called() -> None:
    assert checked((json.dumps,)) == (("call:json:dumps",), {})
    outcome = take(occasion("call:json:dumps"))
    assert outcome.state == "done"
    assert '"rule": "drift"' in outcome.detail
    failed = take(occasion("call:math:sqrt"))
    assert (failed.state, failed.detail.partition(" raised ")[0]) == ("failed", "math:sqrt")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("retrian:x", "unknown step retrian: did you mean retrain"),
        ("retrain", "the pipeline is missing"),
        ("canary:0", "0"),
        ("canary:some", "a percentage is missing"),
        ("promote:soon", "not a number of requests"),
        ("rollback:now", "takes nothing after a colon"),
        ("alert:no-such-program-here", "unknown program no-such-program-here"),
        ("call:json", "write call:MODULE:FUNCTION"),
        ("call:json:nothing", "has no attribute"),
        ("call:json:__name__", "it is a str, not a function"),
    ],
)
def test_steps_that_cannot_be_are_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        checked((text,))


def test_a_step_is_kept_with_what_it_has_made() -> None:
    begun = Action(1, 1, "retrain:train", "started", 2.0, 3.0, run="r1")
    at = occasion("retrain:train", begun=begun)
    from kfnb.resources.monitors.actions.occasion import StepOutcome

    kept = after(at, 2, 1, StepOutcome("done", "made", version="churn@2"))
    assert (kept.run, kept.version, kept.since, kept.at, kept.attempt) == ("r1", "churn@2", 2.0, 5.0, 2)


@pytest.mark.parametrize("command", ["cat >> /tmp/x", "cat | cat", "true && true"])
def test_a_command_that_needs_a_shell_is_refused_with_how_to_have_one(command: str) -> None:
    with pytest.raises(UsageError, match="is run without a shell") as refused:
        checked((f"alert:{command}",))
    assert refused.value.hint == f"alert:sh -c '{command}'"
    checked((refused.value.hint,))


def test_a_command_with_an_open_quote_is_refused() -> None:
    with pytest.raises(UsageError, match="no closing quotation"):
        checked(("alert:echo 'x",))
