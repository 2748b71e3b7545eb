"""What every HTTP call of kfnb does, against a real server: what is sent again, to whom, and what is said."""

import json
import os
import socket
import threading
import time
from email.utils import formatdate
from pathlib import Path

import pytest
from http_server import Server, answer, cut, drip, reset, serving, silence

from kfnb.errors import BackendError, BackendUnavailable
from kfnb.remote import http
from kfnb.remote.credentials import Credentials
from kfnb.remote.environment import proxy_to
from kfnb.remote.errors import BadAddress, NoAnswer, TooLarge, Untrusted
from kfnb.remote.http import Http, Request, Transport
from kfnb.remote.retry import RetryPolicy

HASTE = RetryPolicy(tries=3, pause=0.01, longest=0.05, connect=5.0, read=5.0)
CANARY = "canary-7f3a"


def get(server: Server, path: str = "/x") -> Request:
    return Request("GET", f"{server.url}{path}")


def post(server: Server, **words) -> Request:
    return Request("POST", f"{server.url}/x", b'{"a": 1}', {"content-type": "application/json"}, **words)


def refused_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


# what an answer is


def test_an_answer_is_its_status_its_body_and_its_headers(server):
    server.then = answer(418, b"\x00tea", X_Kind="pot")
    told = Http(retry=HASTE).send(get(server))
    assert (told.status, told.body, told.headers["x-kind"], told.fine) == (418, b"\x00tea", "pot", False)


def test_an_answer_that_is_not_json_is_an_answer_all_the_same(server):
    server.then = answer(200, b"<html>sign in</html>")
    assert Http(retry=HASTE).send(get(server)).body.startswith(b"<html>")


def test_an_empty_answer_has_an_empty_body_and_leaves_its_connection_for_the_next(server):
    server.then = answer(204, b"")
    http_ = Http(retry=HASTE)
    assert [http_.send(get(server)).body for _ in range(3)] == [b""] * 3
    assert server.connections == 1


def test_a_connection_is_used_again(server):
    http_ = Http(retry=HASTE)
    for _ in range(5):
        http_.send(get(server))
        http_.send(post(server))
    assert (len(server.asked), server.connections) == (10, 1)


def test_a_huge_body_comes_whole(server):
    body = os.urandom(1 << 20) * 40
    server.then = answer(200, body)
    assert Http(retry=HASTE).send(get(server)).body == body


def test_a_body_beyond_all_measure_is_not_taken_into_memory(server, monkeypatch):
    monkeypatch.setattr(http, "_LARGEST", 1 << 20)
    server.then = answer(200, b"x" * (3 << 20))
    with pytest.raises(TooLarge, match=r"http://127.*: the answer is larger than 1 MiB"):
        Http(retry=HASTE).send(get(server))
    server.then = answer()
    assert Http(retry=HASTE).send(get(server)).body == b"{}"


def test_several_threads_ask_at_once(server):
    http_ = Http(retry=HASTE)
    server.then = answer(200, b"x" * 100_000)
    got: list[int] = []
    threads = [
        threading.Thread(target=lambda: got.append(len(http_.send(get(server)).body))) for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert got == [100_000] * 20


# what is sent again


@pytest.mark.parametrize("trouble", [reset, cut, answer(429), answer(502), answer(503), answer(504)])
def test_reading_is_tried_again(server, trouble):
    server.script = [trouble, trouble]
    assert Http(retry=HASTE).send(get(server)).body == b"{}"
    assert len(server.asked) == 3


@pytest.mark.parametrize("trouble", [reset, cut])
def test_what_may_not_be_done_twice_is_sent_once_where_the_server_may_have_got_it(server, trouble):
    server.then = trouble
    with pytest.raises(NoAnswer, match="the connection was dropped") as caught:
        Http(retry=HASTE).send(post(server))
    assert caught.value.sent
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_gateways_refusal_may_hide_that_it_was_done(server, status):
    server.then = answer(status)
    assert Http(retry=HASTE).send(post(server)).status == status
    assert len(server.asked) == 1


def test_too_many_requests_means_that_it_was_not_looked_at(server):
    server.script = [answer(429)]
    assert Http(retry=HASTE).send(post(server)).status == 200
    assert [one.body for one in server.asked] == [b'{"a": 1}'] * 2


def test_what_its_sender_says_may_be_done_twice_is(server):
    server.script = [reset, answer(503)]
    assert Http(retry=HASTE).send(post(server, again=True)).status == 200


@pytest.mark.parametrize("status", [400, 403, 404, 409, 422, 500])
def test_a_refusal_is_final(server, status):
    server.then = answer(status)
    assert Http(retry=HASTE).send(get(server)).status == status
    assert len(server.asked) == 1


def test_which_statuses_say_later_is_for_who_knows_the_server(server):
    server.script = [answer(500)]
    assert Http(retry=HASTE, later=frozenset({500})).send(get(server)).status == 200


def test_tries_have_an_end(server):
    server.then = answer(503)
    assert Http(retry=HASTE).send(get(server)).status == 503
    assert len(server.asked) == 3


def test_what_was_never_sent_is_sent_again_whatever_it_is():
    port = refused_port()
    http_ = Http(retry=RetryPolicy(tries=50, pause=0.05, longest=0.05))
    asked: list[bytes] = []

    def come_up() -> None:
        time.sleep(0.3)
        with socket.create_server(("127.0.0.1", port)) as late:
            line, _ = late.accept()
            asked.append(line.recv(1 << 16))
            answer()(line)
            line.close()

    threading.Thread(target=come_up, daemon=True).start()
    assert http_.send(Request("POST", f"http://127.0.0.1:{port}/x", b"once")).status == 200
    assert len(asked) == 1


def test_a_handshake_that_breaks_off_has_sent_nothing(secure, certificate):
    """So that what may not be done twice is sent all the same."""
    secure.hang_up_first = 2
    told = Http(transport=lambda: Transport(ca=str(certificate.file)), retry=HASTE).send(post(secure))
    assert (told.status, len(secure.asked)) == (200, 1)


# how long


def test_nothing_listens():
    with pytest.raises(
        NoAnswer, match=r"http://127\.0\.0\.1:\d+ does not answer: connection failed"
    ) as caught:
        Http(retry=HASTE).send(Request("GET", f"http://127.0.0.1:{refused_port()}/x"))
    assert not caught.value.sent
    assert isinstance(caught.value, BackendUnavailable)


def test_a_server_that_says_nothing_is_asked_once(server):
    server.then = silence(1.0)
    with pytest.raises(NoAnswer, match=r"no answer within 0\.2 s"):
        Http(retry=RetryPolicy(pause=0.01, read=0.2)).send(get(server))
    assert len(server.asked) == 1


def test_a_server_that_falls_silent_within_its_answer_is_asked_once(server):
    def act(line: socket.socket) -> None:
        line.sendall(b'HTTP/1.1 200 X\r\ncontent-length: 100\r\n\r\n{"half":')
        time.sleep(1.0)

    server.then = act
    with pytest.raises(NoAnswer, match="its answer stalled"):
        Http(retry=RetryPolicy(pause=0.01, read=0.2)).send(get(server))
    assert len(server.asked) == 1


@pytest.mark.parametrize("asked", ["1", lambda: formatdate(time.time() + 2, usegmt=True)])
def test_the_pause_that_a_server_asks_for_is_kept(server, asked):
    """Retry-After is a number of seconds, or a date."""
    server.script = [answer(503, retry_after=asked if isinstance(asked, str) else asked())]
    began = time.monotonic()
    Http(retry=RetryPolicy(tries=2, pause=0.001, longest=1.0)).send(get(server))
    assert 0.75 < time.monotonic() - began < 3


@pytest.mark.parametrize("asked", ["3600", "soon", "-1", "", formatdate(0, usegmt=True)])
def test_no_server_is_waited_for_longer_than_patience_lasts(server, asked):
    server.script = [answer(429, retry_after=asked)]
    began = time.monotonic()
    Http(retry=HASTE).send(get(server))
    assert time.monotonic() - began < 30


def test_pauses_grow_and_have_a_limit():
    retry = RetryPolicy(pause=0.1, longest=1.0)
    pauses = [retry.before(number) for number in range(8)]
    assert all(
        0.8 * min(0.1 * 2**number, 1.0) <= pause <= 1.0 and pause <= 0.1 * 2**number
        for number, pause in enumerate(pauses)
    )
    assert (
        len({retry.before(2) for _ in range(20)}) > 10
    )  # who was refused together must not come back together


def test_after_the_deadline_there_is_no_other_try(server):
    server.then = answer(503)
    began = time.monotonic()
    hasty = RetryPolicy(tries=100, pause=0.1, longest=0.1, deadline=0.45)
    assert Http(retry=hasty).send(get(server)).status == 503
    assert time.monotonic() - began < 8  # of 10 s that a hundred tries take
    assert 1 <= len(server.asked) <= 6


def test_a_body_that_comes_byte_by_byte_is_given_up_at_the_deadline(server):
    """Each byte comes in time: only the whole does not."""
    server.then = drip(b"x" * 200, 0.05)
    began = time.monotonic()
    with pytest.raises(NoAnswer, match="its answer did not end in time"):
        Http(retry=RetryPolicy(tries=1, read=1.0, deadline=0.4)).send(get(server))
    assert time.monotonic() - began < 8  # of 10 s that the body takes


def test_a_slow_body_is_waited_for(server):
    server.then = drip(b"slow but whole", 0.02)
    assert Http(retry=HASTE).send(get(server)).body == b"slow but whole"


# who asks


@pytest.fixture
def token(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text("old\n")
    return file


def renewing(server: Server, file: Path, status: int = 401) -> None:
    """The server refuses once, while the token's file is written anew so that its times do not show it."""
    times = file.stat()

    def refuse(line: socket.socket) -> None:
        file.write_text("new\n")
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
        answer(status)(line)

    server.script.append(refuse)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_refused_token_is_renewed_once_and_what_was_asked_is_sent_again(server, token, method):
    renewing(server, token)
    told = Http(Credentials(file=token), retry=HASTE).send(Request(method, f"{server.url}/x"))
    assert told.status == 200
    assert [one.headers["authorization"] for one in server.asked] == ["Bearer old", "Bearer new"]


def test_a_renewed_token_that_is_refused_too_is_the_answer(server, token):
    renewing(server, token)
    server.then = answer(401)
    assert Http(Credentials(file=token), retry=HASTE).send(get(server)).status == 401
    assert len(server.asked) == 2


@pytest.mark.parametrize("credentials", [None, Credentials("old"), Credentials(cookies="a=b")])
def test_where_there_is_no_other_token_a_refusal_is_final(server, credentials):
    server.then = answer(401)
    assert Http(credentials, retry=HASTE).send(get(server)).status == 401
    assert len(server.asked) == 1


def test_what_is_forbidden_is_not_asked_with_another_token(server, token):
    renewing(server, token, status=403)
    assert Http(Credentials(file=token), retry=HASTE).send(get(server)).status == 403
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_credentials_go_to_no_other_host(server, status):
    with serving() as other:
        server.then = answer(status, b"", location=f"{other.url}/x")
        told = Http(Credentials(CANARY, cookies=f"session={CANARY}"), retry=HASTE).send(post(server))
        assert (told.status, told.headers["location"]) == (status, f"{other.url}/x")
        assert (len(server.asked), other.asked) == (1, [])


def test_a_token_that_http_cannot_send_is_not_shown(server):
    with pytest.raises(BackendError, match="characters that HTTP does not allow") as caught:
        Http(Credentials(f"{CANARY}\r\nx: y"), retry=HASTE).send(get(server))
    assert CANARY not in str(caught.value)
    assert server.asked == []


# the way


def test_a_certificate_that_nobody_signed_is_not_trusted(secure):
    with pytest.raises(Untrusted, match=r"https://127.* cannot be trusted: .*self.signed certificate"):
        Http(Credentials(CANARY), retry=HASTE).send(get(secure))
    assert secure.asked == []


def test_a_certificate_of_ones_own_authority_is(secure, certificate):
    transport = Transport(ca=str(certificate.file))
    assert Http(transport=lambda: transport, retry=HASTE).send(get(secure)).status == 200


def test_who_chooses_not_to_verify_is_not_warned_at_every_request_and_nobody_else_loses_the_warning(secure):
    import urllib3

    assert Http(transport=lambda: Transport(verify=False), retry=HASTE).send(get(secure)).status == 200
    with (
        urllib3.PoolManager(cert_reqs="CERT_NONE") as another,
        pytest.warns(urllib3.exceptions.InsecureRequestWarning),
    ):
        another.request("GET", secure.url)


def test_a_server_without_tls_is_told_from_one_that_is_not_trusted():
    with socket.create_server(("127.0.0.1", 0)) as plain:

        def refuse() -> None:
            line, _ = plain.accept()
            with line:
                line.recv(1 << 16)
                answer(400, b"Client sent an HTTP request to an HTTPS server.")(line)

        threading.Thread(target=refuse, daemon=True).start()
        with pytest.raises(Untrusted) as caught:
            Http(retry=HASTE).send(Request("GET", f"https://127.0.0.1:{plain.getsockname()[1]}"))
    assert caught.value.plain


@pytest.mark.parametrize("url", ["not an address", "http://[", "ftp://x/y", "http://a b/"])
def test_what_is_not_an_address(url):
    with pytest.raises(BackendError):
        Http(retry=RetryPolicy(tries=1, connect=1.0)).send(Request("GET", url))


def test_an_address_that_cannot_be_read_is_said():
    with pytest.raises(BadAddress, match=r"http://\[ is not an address"):
        Http(retry=HASTE).send(Request("GET", "http://["))


def test_requests_go_through_the_proxy(server):
    with serving() as proxy:
        proxy.then = answer(200, b'"by proxy"')
        told = Http(Credentials("t"), lambda: Transport(proxy=proxy.url), retry=HASTE).send(
            Request("GET", "http://kubeflow.example.com/pipeline?a=1")
        )
        assert json.loads(told.body) == "by proxy"
        assert proxy.asked[0].target == "http://kubeflow.example.com/pipeline?a=1"


def test_a_proxy_that_is_asked_for_tls_is_a_tunnel_and_sees_no_token(secure, certificate):
    """It is told the server's name alone; all else passes it encrypted."""
    with serving() as proxy:

        def tunnel(line: socket.socket) -> None:
            answer(200, b"")(line)
            with socket.create_connection(("127.0.0.1", secure.port)) as there:
                back = threading.Thread(target=lambda: pump(there, line), daemon=True)
                back.start()
                pump(line, there)
                back.join(5)

        proxy.then = tunnel
        transport = Transport(ca=str(certificate.file), proxy=proxy.url)
        told = Http(Credentials(CANARY), lambda: transport, retry=HASTE).send(get(secure))
        assert told.status == 200
        assert (proxy.asked[0].method, CANARY in str(proxy.asked)) == ("CONNECT", False)
        assert secure.asked[0].headers["authorization"] == f"Bearer {CANARY}"


def pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_is_not_there_is_named_without_its_password(scheme):
    proxy = f"http://me:{CANARY}@127.0.0.1:{refused_port()}"
    with pytest.raises(NoAnswer, match=r"the proxy 127\.0\.0\.1 refused the connection") as caught:
        Http(transport=lambda: Transport(proxy=proxy), retry=HASTE).send(
            Request("POST", f"{scheme}://example.com/x")
        )
    assert not caught.value.sent
    assert CANARY not in str(caught.value)


def test_a_proxy_that_refuses_is_told_from_a_server_that_does():
    with serving() as proxy:
        proxy.then = answer(407, b"")
        with pytest.raises(NoAnswer, match="refused the connection"):
            Http(transport=lambda: Transport(proxy=proxy.url), retry=HASTE).send(
                Request("GET", "https://example.com/x")
            )


def test_a_proxy_of_another_kind_is_said():
    with pytest.raises(BackendError, match="the proxy there is not an HTTP proxy"):
        Http(transport=lambda: Transport(proxy="socks5://there:1080"), retry=HASTE).send(
            Request("GET", "http://example.com/x")
        )


@pytest.mark.parametrize(
    ("environ", "url", "proxy"),
    [
        ({"HTTPS_PROXY": "http://proxy:3128"}, "https://kubeflow.example.com/x", "http://proxy:3128"),
        ({"https_proxy": "proxy:3128"}, "https://kubeflow.example.com/x", "http://proxy:3128"),
        ({"HTTPS_PROXY": "http://proxy:3128"}, "http://kubeflow.example.com/x", ""),
        ({"HTTP_PROXY": "http://proxy:3128"}, "http://kubeflow.example.com/x", "http://proxy:3128"),
        (
            {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": ".example.com"},
            "https://kubeflow.example.com",
            "",
        ),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "*"}, "https://kubeflow.example.com", ""),
        ({"HTTP_PROXY": "http://proxy:3128"}, "http://127.0.0.1:40123/x", ""),
        ({"HTTP_PROXY": "http://proxy:3128"}, "http://localhost:40123/x", ""),
        ({"HTTP_PROXY": "http://proxy:3128"}, "http://[::1]:40123/x", ""),
        ({}, "https://kubeflow.example.com/x", ""),
    ],
)
def test_the_proxy_is_that_of_the_environment_but_never_to_this_machine(monkeypatch, environ, url, proxy):
    """A port-forward is an address of this machine."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert proxy_to(url) == proxy


# what is read as it comes


def test_lines_come_as_they_are_written(server):
    read = threading.Event()

    def act(line: socket.socket) -> None:
        line.sendall(b"HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n")
        for part in (b"one\ntw", "o ü\n".encode(), b"end"):
            line.sendall(f"{len(part):x}\r\n".encode() + part + b"\r\n")
            read.wait(60)
        line.sendall(b"0\r\n\r\n")

    server.then = act
    stream = Http(retry=HASTE).open(get(server), silent_for=30.0)
    lines = stream.lines("the log")
    assert next(lines) == "one", "before the next is written"
    read.set()
    assert list(lines) == ["two ü", "end"]


def test_a_stream_that_breaks_off_says_what_did(server):
    server.then = cut
    with pytest.raises(BackendUnavailable, match="the log was interrupted"):
        list(Http(retry=HASTE).open(get(server), silent_for=5.0).lines("the log"))


def test_a_stream_is_opened_as_patiently_as_an_answer_is_asked_for(server, token):
    renewing(server, token)
    server.script.insert(0, answer(503))
    stream = Http(Credentials(file=token), retry=HASTE).open(get(server), silent_for=5.0)
    assert (stream.status, stream.answer().body) == (200, b"{}")


def test_a_stream_that_is_silent_for_too_long_ends(server):
    def act(line: socket.socket) -> None:
        line.sendall(b"HTTP/1.1 200 X\r\ncontent-length: 100\r\n\r\nfirst\n")
        time.sleep(1.0)

    server.then = act
    lines = Http(retry=HASTE).open(get(server), silent_for=0.2).lines("the log")
    assert next(lines) == "first"
    with pytest.raises(BackendUnavailable, match="the log was interrupted: ReadTimeoutError"):
        next(lines)


def test_who_waits_for_a_stream_is_woken_when_another_thread_hangs_up(server):
    def act(line: socket.socket) -> None:
        line.sendall(b"HTTP/1.1 200 X\r\ncontent-length: 100\r\n\r\n")
        time.sleep(5.0)

    server.then = act
    stream = Http(retry=HASTE).open(get(server), silent_for=60.0)
    threading.Timer(0.2, stream.hang_up).start()
    began = time.monotonic()
    with pytest.raises(BackendUnavailable):
        list(stream.lines("the watch"))
    assert time.monotonic() - began < 3
