"""A port of this machine that leads into the cluster: through the API server's websocket, as kubectl's does."""

import http.server
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import pytest
import urllib3
import yaml
from gateway import TOKEN, Gateway, gateway
from replay import GOOD, Replay

from kfnb.errors import BackendError, BackendUnavailable
from kfnb.remote.environment import KubeflowEnvironment
from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.remote.portforward.forward import Forward, Forwards
from kfnb.remote.portforward.tunnel import Tunnel, target
from kfnb.remote.retry import RetryPolicy
from kfnb.resources.runs.kubeflow.connection import Access, connect

HASTE = RetryPolicy(tries=2, pause=0.01, longest=0.05, connect=10.0, read=30.0)


class Echo(http.server.BaseHTTPRequestHandler):
    """Says what it was sent, and how often it was asked; ``/slow`` takes its time, ``/pieces`` answers byte by byte."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    slow = threading.Event()

    def log_message(self, *args):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/slow":
            self.slow.wait(10)
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.path == "/pieces":
            for byte in body:
                self.wfile.write(bytes([byte]))
                time.sleep(0.001)
        else:
            self.wfile.write(body)


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a real little HTTP server."""
    Echo.slow.clear()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server.server_address[1]
    Echo.slow.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def api(echo: int) -> Iterator[Gateway]:
    with gateway(echo) as server:
        yield server


def asking(api: Gateway) -> Kubernetes:
    from kubernetes.client import Configuration

    def configure():
        configuration = Configuration()
        configuration.host = api.host
        configuration.api_key = {"authorization": f"Bearer {TOKEN}"}
        return configuration

    return Kubernetes(configure, retry=HASTE)


@pytest.fixture
def forward(api: Gateway) -> Iterator[Forward]:
    forwards = Forwards(asking(api))
    yield forwards.to("ml-pipeline", "kubeflow", 8888)
    forwards.close()
    assert [one.name for one in threading.enumerate() if one.name.startswith("kfnb-forward")] == []


def post(forward: Forward, body: bytes, path: str = "/", pool: urllib3.PoolManager | None = None) -> bytes:
    with pool or urllib3.PoolManager() as asking:
        answer = asking.request(
            "POST", f"http://{forward.address}{path}", body=body, retries=False, timeout=10
        )
        return bytes(answer.data)


def test_requests_pass_both_ways_whatever_their_size(forward: Forward):
    assert forward.address.startswith("127.0.0.1:")
    for size in (0, 1, 1 << 16, 3 << 20):
        body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
        assert post(forward, body) == body


def test_several_requests_go_at_once(forward: Forward, api: Gateway):
    with ThreadPoolExecutor(8) as pool:
        slow = pool.submit(post, forward, b"slow", "/slow")
        bodies = [f"request {number}".encode() * 1000 for number in range(20)]
        assert list(pool.map(lambda body: post(forward, body), bodies)) == bodies
        assert not slow.done()
        Echo.slow.set()
        assert slow.result() == b"slow"
    assert api.opened == 21


def test_a_connection_that_is_kept_serves_many_requests(forward: Forward, api: Gateway):
    with urllib3.PoolManager() as pool:
        for number in range(5):
            answer = pool.request("POST", f"http://{forward.address}/", body=str(number), retries=False)
            assert answer.data == str(number).encode()
    assert api.opened == 1


def test_a_kept_connection_whose_pod_has_gone_meanwhile_is_opened_anew_before_anything_is_sent(
    forward: Forward, api: Gateway
):
    """Else a submission would end in doubt whether it was done."""
    with urllib3.PoolManager() as pool:
        for body in (b"one", b"two"):
            answer = pool.request("POST", f"http://{forward.address}/", body=body, retries=False)
            assert answer.data == body
            api.cut()
            time.sleep(0.3)  # its end comes through
    assert api.opened == 2


def test_an_answer_in_pieces_comes_through_without_a_wait_between_them(
    forward: Forward, echo: int, api: Gateway
):
    """A piece would wait for 40 ms where the one before it had to be acknowledged first."""
    with urllib3.PoolManager() as pool:

        def usual(address: str) -> float:
            return median(timed(pool, f"http://{address}/pieces") for _ in range(21))

        assert usual(forward.address) < 0.02 + 2 * usual(f"127.0.0.1:{echo}")
    assert api.opened == 1


def timed(pool: urllib3.PoolManager, url: str) -> float:
    began = time.perf_counter()
    pool.request("POST", url, body=b"three", retries=False)
    return time.perf_counter() - began


@pytest.mark.parametrize("how", ["cut", "complain"])
def test_a_tunnel_that_breaks_ends_the_request_at_once_and_the_next_opens_anew(
    forward: Forward, api: Gateway, how: str
):
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(post, forward, b"x", "/slow")
        until = time.monotonic() + 5
        while not api.tunnels and time.monotonic() < until:
            time.sleep(0.01)
        began = time.monotonic()
        api.cut() if how == "cut" else api.complain("lost connection to pod")
        with pytest.raises(urllib3.exceptions.HTTPError):
            waiting.result()
        assert time.monotonic() - began < 5
    assert post(forward, b"again") == b"again"


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (
            lambda api: setattr(api, "refuses", 403),
            "cannot forward a port to pod b in namespace kubeflow: the server refused",
        ),
        (
            lambda api: setattr(api, "ready", False),
            "no pod is ready behind service ml-pipeline in namespace kubeflow",
        ),
    ],
)
def test_why_a_forward_cannot_be_opened_is_kept(forward: Forward, api: Gateway, spoil, told: str):
    spoil(api)
    with pytest.raises(urllib3.exceptions.HTTPError):
        post(forward, b"x")
    assert told in forward.trouble
    assert TOKEN not in forward.trouble
    api.refuses, api.ready = 0, True
    assert post(forward, b"x") == b"x"
    assert forward.trouble == ""


def test_closing_ends_what_is_open_and_leaves_no_thread_and_no_socket(api: Gateway):
    forwards = Forwards(asking(api))
    forward = forwards.to("ml-pipeline", "kubeflow", 8888)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(post, forward, b"x", "/slow")
        until = time.monotonic() + 5
        while not api.tunnels and time.monotonic() < until:
            time.sleep(0.01)
        forwards.close()
        with pytest.raises(urllib3.exceptions.HTTPError):
            waiting.result()
    assert [one.name for one in threading.enumerate() if one.name.startswith("kfnb-forward")] == []
    assert forward._ends == set()
    until = time.monotonic() + 5
    while api.tunnels and time.monotonic() < until:
        time.sleep(0.01)
    assert api.tunnels == []
    host, port = forward.address.split(":")
    with pytest.raises(OSError):
        socket.create_connection((host, int(port)), 1)


def test_kubeflow_is_reached_through_a_context_wherever_it_is_installed(
    api: Gateway, replay: Replay, tmp_path, monkeypatch
):
    api.port = int(replay.url.rpartition(":")[2])
    file = tmp_path / "config"
    content = {
        "clusters": [{"name": "c", "cluster": {"server": api.host}}],
        "contexts": [{"name": "mine", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": {"token": TOKEN}}],
        "current-context": "mine",
    }
    file.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Config", **content}))
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(file))
    backend = connect(Access(context="mine"), KubeflowEnvironment())
    try:
        assert backend._server.get(f"/runs/{GOOD}")["run_id"] == GOOD
        api.ready = False
        api.cut()
        backend._server._http.retry = HASTE
        with pytest.raises(BackendUnavailable) as raised:
            backend._server.get("/healthz")
        assert (
            "It is a port-forward to ml-pipeline in namespace kubeflow through context mine: no pod is ready"
            in (str(raised.value))
        )
    finally:
        backend.close()
    elsewhere = connect(Access(context="mine", installed="pipelines"), KubeflowEnvironment())
    try:
        elsewhere._server._http.retry = HASTE
        with pytest.raises(
            BackendUnavailable, match="ml-pipeline in namespace pipelines through context mine: "
        ):
            elsewhere._server.get("/healthz")
    finally:
        elsewhere.close()


def test_a_forward_is_opened_once(api: Gateway):
    forwards = Forwards(asking(api))
    try:
        first = forwards.to("ml-pipeline", "kubeflow", 8888)
        assert forwards.to("ml-pipeline", "kubeflow", 8888) is first
        assert forwards.to("ml-pipeline", "kubeflow", 8887) is not first
    finally:
        forwards.close()


def test_a_service_leads_to_a_pod_that_is_ready(api: Gateway):
    assert target(asking(api), "ml-pipeline", "kubeflow", 8888) == ("b", 8889)
    with pytest.raises(BackendError):
        target(asking(api), "moon", "kubeflow", 8888)


def test_a_service_without_pods_of_its_own_leads_to_no_pod_at_all():
    """No selector as a label selector would mean every pod of the namespace."""

    class Leading:
        def get(self, path):
            return {"spec": {"ports": [{"port": 8888}]}}

        def list(self, path, query):
            yield {
                "metadata": {"name": "another"},
                "status": {"conditions": [{"type": "Ready", "status": "True"}]},
            }

    with pytest.raises(BackendError, match="has no pods to forward to"):
        target(Leading(), "ml-pipeline", "kubeflow", 8888)


def test_an_empty_message_is_passed_over():
    from websocket import ABNF

    messages = [b"", b"\x00\x22\xb8", b"\x01\x22\xb8", b"", b"\x00", b"\x00hello"]

    class Saying:
        def recv_data(self):
            return (ABNF.OPCODE_BINARY, messages.pop(0)) if messages else (ABNF.OPCODE_CLOSE, b"")

    tunnel = Tunnel(Saying())
    assert tunnel.recv(1) == b"hello"
    assert tunnel.recv(1) == b""
