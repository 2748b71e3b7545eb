"""What a model registry answers that is not what was expected: one message each, which says what to do."""

from __future__ import annotations

import json
import socket

import pytest
from model_registry_rig import Recorded, RegistryRig, recorded

from kfnb.errors import BackendError, BackendUnavailable
from kfnb.remote.credentials import Credentials
from kfnb.remote.model_registry.server import NotRegistered, RegistryServer, Taken
from kfnb.remote.retry import RetryPolicy

ONCE = RetryPolicy(tries=2, pause=0.01, longest=0.02, connect=0.5, read=0.3, deadline=5.0)
CANARY = "c4n4ry-t0ken-of-a-test"
KNOWN = "test_versions_are_numbered_from_1"
LOGIN = b"<!doctype html><title>Log in to Your Account</title>"


@pytest.fixture
def answering():
    """A server that speaks v1, and answers as its test wants."""
    rig = RegistryRig(Recorded(recorded("new")[KNOWN]), "v1")
    yield rig
    rig.close()


@pytest.fixture
def server(answering):
    found = RegistryServer(answering.url, credentials=Credentials(CANARY), retry=ONCE)
    yield found
    found.close()


@pytest.mark.parametrize(
    ("answer", "code", "message"),
    [
        (
            (401, b"Jwt is expired", "text/plain"),
            "unauthenticated",
            r"refused a token \(401\).*token_file=FILE",
        ),
        (
            (403, b"RBAC: access denied", "text/plain"),
            "forbidden",
            r"\(403: RBAC: access denied\).*ask an administrator",
        ),
        (
            (403, b'{"message": "no right to read"}', "application/json"),
            "forbidden",
            r"\(403: no right to read\)",
        ),
        ((403, LOGIN, "text/html"), "forbidden", r"\(403: no reason\)"),
        ((404, b"404 page not found", "text/plain"), "not-found", "does not have .* in v1 of its API"),
        (
            (404, b'{"message": "no such model"}', "application/json"),
            "not-found",
            "answered 404: no such model",
        ),
        (
            (400, b'{"code": "x", "message": "invalid filter\\nat 3"}', "application/json"),
            "backend",
            "400: invalid filter$",
        ),
        (
            (500, b'{"message": "database is down"}', "application/json"),
            "backend",
            "answered 500: database is down",
        ),
        ((500, b"<html>", "text/html"), "backend", "answered 500: no reason"),
        ((503, b"upstream connect error", "text/plain"), "unavailable", r"is too busy or not up \(503"),
        ((200, LOGIN, "text/html"), "unauthenticated", "answered with a login page.*had a token"),
        ((302, b"", "text/html"), "unauthenticated", "answered with a login page"),
        ((200, b"[]", "application/json"), "backend", "not a JSON object"),
        ((200, b"{", "application/json"), "backend", "is not JSON"),
    ],
    ids=lambda value: f"{value[0]}-{value[1][:12].decode()}" if isinstance(value, tuple) else "",
)
def test_a_bad_answer_has_one_message(answering, server, answer, code, message):
    assert server.version == "v1"
    status, body, kind = answer
    answering.fail(times=9, status=status, body=body, kind=kind, match="/registered_models$")

    with pytest.raises(BackendError, match=message) as caught:
        server.get("/registered_models")

    assert caught.value.code == code
    assert answering.url in str(caught.value)
    assert "\n" not in str(caught.value)
    assert CANARY not in f"{caught.value!r}{caught.value}{server!r}"


@pytest.mark.parametrize("status", [404, 200, 302, 403])
def test_what_is_not_a_model_registry_is_found_out_by_the_first_request(answering, server, status):
    body, kind = (b"404 page not found", "text/plain") if status == 404 else (LOGIN, "text/html")
    answering.fail(times=9, status=status, body=body, kind=kind)

    with pytest.raises(BackendError, match=r"does not speak v1 or v1alpha3|login page|denied access"):
        server.get("/registered_models")


def test_a_server_that_does_not_answer_in_time_is_unavailable(answering, server):
    answering.fail(times=9, delay=1.0)

    with pytest.raises(BackendUnavailable, match=r"does not answer: no answer within 0.3 s"):
        server.get("/registered_models")


def test_a_server_that_is_down_is_unavailable_and_the_hint_says_where_its_address_is_from():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    server = RegistryServer(address, retry=ONCE, hint=lambda: "It is model_registry of the settings")

    with pytest.raises(BackendUnavailable, match=r"does not answer: .*It is model_registry of the settings"):
        server.get("/registered_models")


@pytest.mark.parametrize("address", ["http://", "http://exa mple", "http://127.0.0.1:port"])
def test_what_is_not_an_address_is_refused(address):
    with pytest.raises(BackendError, match=r"is not an address|does not answer"):
        RegistryServer(address, retry=ONCE).get("/registered_models")


def test_a_server_that_was_replaced_by_an_older_one_is_found_out_again(answering, server):
    assert server.version == "v1"
    answering.version = "v1alpha3"

    with pytest.raises(BackendError, match="if the server was replaced, try again"):
        server.get("/registered_model", name="x")

    assert server.version == "v1alpha3"


def test_the_errors_of_an_object_are_kinds_of_their_own(answering, server):
    answering.fail(status=404, body=b'{"message": "not there"}', match="_models/7$")
    with pytest.raises(NotRegistered):
        server.get("/registered_models/7")
    answering.fail(status=404, body=b'{"message": "not there"}', match="_model[?]")
    assert server.find("/registered_model", name="x") is None
    answering.fail(status=409, body=b'{"message": "exists"}', method="POST")
    with pytest.raises(Taken, match="409: exists"):
        server.create("/registered_models", {"name": "x"})


def test_the_token_is_sent_to_the_registry_alone_and_no_redirect_is_followed(answering, server):
    other = RegistryRig(Recorded([]))
    answering.fail(times=9, status=302, location=f"{other.url}/login", match="_models$")
    with pytest.raises(BackendError):
        server.get("/registered_models")
    assert other.asked == []
    assert {one.get("authorization") for one in answering.headers} == {f"Bearer {CANARY}"}
    other.close()


def test_no_recording_has_a_token_or_an_address_of_a_cluster():
    for server in ("new", "old"):
        text = json.dumps(recorded(server)).lower()
        assert not [word for word in ("bearer", "authorization", "cookie", "password") if word in text]
