"""The HTTP server: what a client may send, what it may not, and how a server ends."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import stat
import threading
import time
from contextlib import closing, suppress

import pytest
import urllib3
from hypothesis import given
from hypothesis import strategies as st

from kfnb.server.http_connection import names_this_machine
from kfnb.server.http_messages import HttpLimits, HttpRequest, HttpResponse
from tests.server.conftest import Running, read_all, serving

HOST = b"Host: localhost\r\n"
CLOSE = HOST + b"Connection: close\r\n"


async def echo(request: HttpRequest) -> HttpResponse:
    """What came, as JSON."""
    told = {"method": request.method, "target": request.target, "headers": dict(request.headers)}
    return HttpResponse(200, json.dumps({**told, "body": request.body.decode("latin-1")}).encode())


async def never(_: HttpRequest) -> HttpResponse:
    await asyncio.sleep(3600)
    raise AssertionError


def body_of(answer: bytes) -> dict:
    return json.loads(answer.partition(b"\r\n\r\n")[2])


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


@pytest.fixture(scope="module")
def echoing():
    with serving(echo) as running:
        yield running


def test_a_request_reaches_the_handler_whole_and_its_answer_comes_back(echoing: Running):
    answer = echoing.exchange(
        b"POST /a%20b?c=1 HTTP/1.1\r\nX-One: 1\r\nx-one: 2\r\nContent-Length: 3\r\n" + CLOSE + b"\r\nxyz"
    )
    found = body_of(answer)
    assert status_of(answer) == 200
    assert (found["method"], found["target"], found["body"]) == ("POST", "/a%20b?c=1", "xyz")
    assert found["headers"]["x-one"] == "1, 2"


def test_a_request_may_come_byte_by_byte(echoing: Running):
    request = b"POST /x HTTP/1.1\r\nContent-Length: 3\r\n" + CLOSE + b"\r\nxyz"
    assert body_of(echoing.exchange(*(bytes([one]) for one in request)))["body"] == "xyz"


def test_a_body_may_come_in_chunks_whose_trailers_replace_no_header(echoing: Running):
    chunks = b"3\r\nabc\r\n4\r\ndefg\r\n0\r\nX-One: trailer\r\n\r\n"
    found = body_of(
        echoing.exchange(
            b"POST / HTTP/1.1\r\nX-One: 1\r\nTransfer-Encoding: chunked\r\n" + CLOSE + b"\r\n" + chunks
        )
    )
    assert found["body"] == "abcdefg"
    assert found["headers"]["x-one"] == "1"


def test_a_connection_is_kept_for_further_requests(echoing: Running):
    with closing(http.client.HTTPConnection(echoing.address.removeprefix("http://"), timeout=20)) as client:
        for number in range(5):
            client.request("POST", "/", body=str(number))
            assert json.loads(client.getresponse().read())["body"] == str(number)
            line = client.sock
        assert client.sock is line


def test_pipelined_requests_are_answered_in_their_order(serve):
    async def slower_first(request: HttpRequest) -> HttpResponse:
        await asyncio.sleep(0.2 if request.path == "/0" else 0)
        return HttpResponse(200, request.path.encode())

    lines = b"".join(b"GET /%d HTTP/1.1\r\n%b\r\n" % (number, HOST) for number in range(50))
    answer = serve(slower_first).exchange(lines + b"GET /last HTTP/1.1\r\n" + CLOSE + b"\r\n")
    bodies = [part.partition(b"\r\n\r\n")[2] for part in answer.split(b"HTTP/1.1 200 OK\r\n")[1:]]
    assert bodies == [*(b"/%d" % number for number in range(50)), b"/last"]


def test_many_pipelined_requests_are_not_taken_for_a_large_head(serve):
    async def fine(_: HttpRequest) -> HttpResponse:
        return HttpResponse(200, b"fine")

    lines = (b"GET / HTTP/1.1\r\n" + HOST + b"\r\n") * 7000
    answer = serve(fine).exchange(lines + b"GET / HTTP/1.1\r\n" + CLOSE + b"\r\n")
    assert answer.count(b"HTTP/1.1 200 OK") == 7001


def test_a_client_that_pipelines_is_read_no_faster_than_it_is_answered(serve):
    async def slow(_: HttpRequest) -> HttpResponse:
        await asyncio.sleep(0.05)
        return HttpResponse(200)

    with closing(serve(slow).line()) as line:
        line.settimeout(1)
        requests = (b"GET / HTTP/1.1\r\n" + HOST + b"\r\n") * 1_500_000
        with pytest.raises(TimeoutError):  # all buffers are full, and the server reads no more
            line.sendall(requests)


def test_half_a_request_behind_those_that_wait_has_all_its_time(serve):
    async def slow(_: HttpRequest) -> HttpResponse:
        await asyncio.sleep(1)
        return HttpResponse(200, b"fine")

    running = serve(slow, HttpLimits(head_seconds=0.5))
    with closing(running.line()) as line:
        line.sendall((b"GET / HTTP/1.1\r\n" + HOST + b"\r\n") * 2 + b"GET / HT")
        time.sleep(2.3)
        line.sendall(b"TP/1.1\r\n" + CLOSE + b"\r\n")
        assert read_all(line).count(b"HTTP/1.1 200 OK") == 3


def test_head_has_the_headers_of_get_and_no_body(echoing: Running):
    answer = echoing.exchange(b"HEAD / HTTP/1.1\r\n" + CLOSE + b"\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert body == b""
    assert b"content-length: 0" not in head.lower()


def test_a_client_that_waits_for_leave_to_send_its_body_gets_it(echoing: Running):
    with closing(echoing.line()) as line:
        line.sendall(b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n" + CLOSE + b"\r\n")
        assert line.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        line.sendall(b"xyz")
        assert body_of(read_all(line))["body"] == "xyz"


def test_a_client_that_offers_http_2_is_answered_in_http_1_1(echoing: Running):
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAM\r\n"
    with closing(echoing.line()) as line:
        line.sendall(b"POST / HTTP/1.1\r\nContent-Length: 3\r\n" + upgrade + HOST + b"\r\nxyz")
        line.sendall(b"GET /second HTTP/1.1\r\n" + CLOSE + b"\r\n")
        first, second = read_all(line).split(b"HTTP/1.1 ")[1:]
    assert body_of(first)["body"] == "xyz"
    assert body_of(second)["target"] == "/second"


def test_a_client_of_http_1_0_is_answered_and_the_connection_closed(echoing: Running):
    answer = echoing.exchange(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    assert status_of(answer) == 200
    assert b"connection: close" in answer


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"hello\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 501),
        (b"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", 421),
        (b"GET / HTTP/1.1\r\nHost: 127.evil.example:80\r\nConnection: close\r\n\r\n", 421),
    ],
    ids=lambda value: repr(value)[2:40] if isinstance(value, bytes) else "",
)  # fmt: skip
def test_what_is_not_a_request_is_refused_and_the_next_client_is_served(echoing: Running, request_, status):
    assert status_of(echoing.exchange(request_)) == status
    assert status_of(echoing.exchange(b"GET / HTTP/1.1\r\n" + CLOSE + b"\r\n")) == 200


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost:8888", 200),
        ("http://127.0.0.1:8888", 200),
        ("https://evil.example", 403),
        ("https://localhost.evil.example", 403),
        ("null", 403),
        ("", 403),
    ],
)
def test_a_web_page_from_elsewhere_is_not_answered(echoing: Running, origin, status):
    lines = (
        b"POST / HTTP/1.1\r\nOrigin: " + origin.encode() + b"\r\nContent-Length: 2\r\n" + CLOSE + b"\r\n{}"
    )
    assert status_of(echoing.exchange(lines)) == status


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("", True),
        ("localhost", True),
        ("localhost:8080", True),
        ("127.0.0.1:8080", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("[::1]:8080", True),
        ("0.0.0.0", False),
        ("10.0.0.1:8080", False),
        ("localhost.evil.example", False),
        ("evil.example:127", False),
        ("2001:db8::1", False),
        ("[2001:db8::1]:8080", False),
    ],
)
def test_names_of_this_machine(host, local):
    assert names_this_machine(host) is local


@given(st.binary(max_size=300))
def test_any_bytes_leave_the_server_alive(echoing: Running, data: bytes):
    with closing(echoing.line()) as line:
        line.sendall(data)
        line.shutdown(socket.SHUT_WR)
        read_all(line)
    assert status_of(echoing.exchange(b"GET / HTTP/1.1\r\n" + CLOSE + b"\r\n")) == 200


def test_a_body_over_the_limit_is_refused_before_it_is_sent(serve):
    running = serve(echo, HttpLimits(body=1000))
    answer = running.exchange(b"POST / HTTP/1.1\r\nContent-Length: 1001\r\n" + HOST + b"\r\n")
    assert status_of(answer) == 413
    assert body_of(answer)["code"] == "body-too-large"


def test_a_client_that_sends_a_body_over_the_limit_all_the_same_reads_the_refusal(serve):
    running = serve(echo)
    http_client = urllib3.PoolManager(retries=False)
    body = b"x" * 100_000_001
    assert http_client.request("POST", running.address, body=body).status == 413
    assert http_client.request("POST", running.address, body=b"x").status == 200


def test_a_body_in_chunks_over_the_limit_is_refused(serve):
    running = serve(echo, HttpLimits(body=1000))
    chunk = b"1f4\r\n" + b"x" * 500 + b"\r\n"
    answer = running.exchange(
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + HOST + b"\r\n", chunk, chunk, chunk
    )
    assert status_of(answer) == 413


@pytest.mark.parametrize(
    "head", [b"x: " + b"y" * 70_000, b"x: y\r\n" * 15_000 + b"x: y"], ids=["one", "many"]
)
def test_headers_over_the_limit_are_refused(echoing: Running, head):
    assert status_of(echoing.exchange(b"GET / HTTP/1.1\r\n" + head + b"\r\n" + CLOSE + b"\r\n")) == 431


def test_a_first_line_that_does_not_end_is_refused(echoing: Running):
    assert status_of(echoing.exchange(b"GET /" + b"a" * 200_000)) == 431


def test_bodies_that_are_received_at_once_have_a_limit_together(serve):
    running = serve(echo, HttpLimits(body=1000, buffered=1500))
    start = b"POST / HTTP/1.1\r\nContent-Length: 1000\r\n" + CLOSE + b"\r\n"
    with closing(running.line()) as first:
        first.sendall(start + b"x" * 900)
        time.sleep(0.2)
        answer = running.exchange(start + b"x" * 900)
        assert status_of(answer) == 503
        first.sendall(b"x" * 100)
        assert status_of(read_all(first)) == 200
    assert status_of(running.exchange(start + b"x" * 1000)) == 200


def test_bodies_count_until_they_are_answered_and_small_ones_are_taken_meanwhile(serve):
    release = threading.Event()

    async def held(request: HttpRequest) -> HttpResponse:
        if request.path == "/held":
            await asyncio.to_thread(release.wait, 10)
        return HttpResponse(200)

    running = serve(held, HttpLimits(body=1000, buffered=1500, connections=100))

    def post(path: bytes, size: int) -> bytes:
        return b"POST /%b HTTP/1.1\r\nContent-Length: %d\r\n%b\r\n%b" % (path, size, CLOSE, b"x" * size)

    with closing(running.line()) as first, closing(running.line()) as gone:
        first.sendall(post(b"held", 1000))
        gone.sendall(post(b"held", 500))
        time.sleep(0.2)
        assert status_of(running.exchange(post(b"", 900))) == 503
        assert status_of(running.exchange(post(b"", 10))) == 200
        gone.close()
        time.sleep(0.2)
        assert status_of(running.exchange(post(b"", 400))) == 200
        release.set()
        assert status_of(read_all(first)) == 200
    assert status_of(running.exchange(post(b"", 1000))) == 200


@pytest.mark.parametrize(
    ("sent", "status"),
    [(b"GET / HT", 408), (b"POST / HTTP/1.1\r\nContent-Length: 10\r\nHost: localhost\r\n\r\nabc", 408)],
    ids=["head", "body"],
)
def test_half_a_request_is_refused_after_a_while(serve, sent, status):
    running = serve(echo, HttpLimits(head_seconds=0.5, slow_seconds=0.5))
    assert status_of(running.exchange(sent)) == status


def test_a_client_that_drips_its_headers_is_refused_too(serve):
    running = serve(echo, HttpLimits(head_seconds=0.5))
    with closing(running.line()) as line:
        line.sendall(b"GET / HTTP/1.1\r\n")
        line.settimeout(0.1)
        for _ in range(100):
            line.sendall(b"a: b\r\n")
            try:
                answer = line.recv(1000)
                break
            except TimeoutError:
                continue
    assert status_of(answer) == 408


def test_a_client_that_does_not_read_its_answer_is_let_go(serve):
    async def much(_: HttpRequest) -> HttpResponse:
        return HttpResponse(200, b"x" * 50_000_000)

    running = serve(much, HttpLimits(slow_seconds=0.5, rate=1_000_000_000))
    with closing(running.line()) as line:
        line.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        time.sleep(3)
        read = 0
        with suppress(ConnectionResetError):
            while data := line.recv(1 << 16):
                read += len(data)
    assert read < 50_000_000


def test_a_connection_without_a_request_is_closed_after_a_while(serve):
    running = serve(echo, HttpLimits(idle_seconds=0.5))
    assert running.exchange() == b""


def test_a_hundred_slow_clients_keep_no_other_waiting(serve):
    running = serve(echo)
    lines = [running.line() for _ in range(100)]
    for line in lines:
        line.sendall(b"POST / HTTP/1.1\r\nContent-Length: 100\r\n" + HOST + b"\r\nx")
    began = time.monotonic()
    assert status_of(running.exchange(b"GET / HTTP/1.1\r\n" + CLOSE + b"\r\n")) == 200
    assert time.monotonic() - began < 5  # far less than a slow client may take
    for line in lines:
        line.close()


def test_more_connections_than_allowed_are_refused(serve):
    running = serve(echo, HttpLimits(connections=2))
    lines = [running.line() for _ in range(2)]
    assert status_of(running.exchange()) == 503
    for line in lines:
        line.close()
    time.sleep(0.2)
    assert status_of(running.exchange(b"GET / HTTP/1.1\r\n" + CLOSE + b"\r\n")) == 200


def test_the_work_for_a_client_that_has_gone_is_cancelled(serve):
    cancelled = threading.Event()

    async def working(_: HttpRequest) -> HttpResponse:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise
        raise AssertionError

    with closing(serve(working).line()) as line:
        line.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        time.sleep(0.2)
    assert cancelled.wait(5)


def test_an_error_of_the_handler_is_an_answer_without_its_words_and_the_log_has_no_values(serve, capfd):
    async def fails(_: HttpRequest) -> HttpResponse:
        raise ValueError("could not convert string to float: 'Ann'")

    answer = serve(fails).exchange(b"GET / HTTP/1.1\r\n" + CLOSE + b"\r\n")
    assert status_of(answer) == 500
    assert body_of(answer)["code"] == "internal"
    log = capfd.readouterr().err
    assert "ValueError" in log
    assert "test_http.py" in log
    assert "Ann" not in log
    assert b"Ann" not in answer


def test_a_response_cannot_be_split_by_a_header(serve):
    async def splits(request: HttpRequest) -> HttpResponse:
        return HttpResponse(200, headers={"x": "a\r\nset-cookie: b"})

    assert status_of(serve(splits).exchange(b"GET / HTTP/1.1\r\n" + CLOSE + b"\r\n")) == 500


def test_a_socket_is_for_this_user_alone(serve, tmp_path):
    path = tmp_path / "model.sock"
    running = serve(echo, path=str(path))
    assert running.address == f"unix:{path}"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with closing(socket.socket(socket.AF_UNIX)) as line:
        line.connect(str(path))
        line.sendall(b"GET / HTTP/1.1\r\nHost: anything\r\nConnection: close\r\n\r\n")
        assert status_of(read_all(line)) == 200
    running.stop(1)
    assert not path.exists()


def test_a_server_that_ends_finishes_what_has_begun_and_takes_no_more(serve):
    async def slow(_: HttpRequest) -> HttpResponse:
        await asyncio.sleep(0.5)
        return HttpResponse(200, b"done")

    running = serve(slow)
    with closing(running.line()) as busy, closing(running.line()) as half, closing(running.line()) as idle:
        busy.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        half.sendall(b"GET / HTTP/1.1\r\n" + HOST)
        time.sleep(0.2)
        stopping = threading.Thread(target=running.stop, args=(10,))
        stopping.start()
        assert read_all(idle) == b""
        half.sendall(b"\r\n")
        assert read_all(busy).endswith(b"done")
        assert read_all(half).endswith(b"done")
        stopping.join(10)
        assert not stopping.is_alive()
    with pytest.raises(ConnectionRefusedError):
        running.line()


def test_a_server_that_ends_waits_for_no_request_longer_than_it_may(serve):
    running = serve(never)
    with closing(running.line()) as line:
        line.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        time.sleep(0.2)
        began = time.monotonic()
        running.stop(0.5)
        assert time.monotonic() - began < 3
