"""The boundary to the KFP API server: what fails is told in words, and what may be asked again is."""

import os
import pickle
import socket
import subprocess
import sys
import time
import traceback

import pytest
from certificates import serve_tls
from replay import GOOD, HASTE, Replay, exchanges

from kfnb.errors import BackendError, BackendUnavailable
from kfnb.remote.credentials import Credentials
from kfnb.remote.kfp.server import Exists, KfpServer, MissingResource
from kfnb.remote.retry import RetryPolicy

CANARY = "canary-7f3a"
RUN = f"/runs/{GOOD}"


def closed_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def refusal(call) -> str:
    with pytest.raises(BackendError) as caught:
        call()
    return str(caught.value)


def test_an_answer_is_plain_json(server):
    assert server.get(RUN)["run_id"] == GOOD


def test_nothing_answers():
    server = KfpServer(closed_port(), retry=HASTE, hint=lambda: "Is it up?")
    with pytest.raises(BackendUnavailable, match=r"http://127.*: connection failed\. Is it up\?"):
        server.get(RUN)


@pytest.mark.parametrize("fault", [{"drop": True}, {"cut": True}, {"status": 429}, {"status": 503}])
def test_what_may_be_asked_again_is(server, replay: Replay, fault):
    replay.fail(times=2, **fault)
    assert server.get(RUN)["run_id"] == GOOD


@pytest.mark.parametrize("fault", [{"drop": True}, {"status": 429}, {"status": 503}])
def test_patience_has_an_end(server, replay: Replay, fault):
    replay.fail(times=100, **fault)
    with pytest.raises(BackendUnavailable):
        server.get(RUN)
    assert len(replay.asked) == 3


def test_a_server_says_how_long_to_wait(server, replay: Replay):
    server._http.retry = RetryPolicy(tries=2, pause=5.0, longest=0.2)
    replay.fail(status=429, headers={"retry-after": "9"})
    began = time.monotonic()
    server.get(RUN)
    assert 0.1 < time.monotonic() - began < 2


@pytest.mark.parametrize("fault", [{"drop": True}, {"cut": True}])
def test_what_must_not_be_done_twice_is_sent_once(server, replay: Replay, fault):
    replay.fail(times=9, **fault)
    said = refusal(lambda: server.request("POST", "/runs", {}))
    assert "the request may have succeeded: check with %kf_runs" in said
    assert len([one for one in replay.asked if one["method"] == "POST"]) == 1


def test_a_busy_server_is_not_asked_twice_to_do_something(server, replay: Replay):
    replay.fail(times=9, status=503)
    refusal(lambda: server.request("POST", "/runs", {}))
    assert len(replay.asked) == 1


def test_what_was_never_sent_is_sent_again():
    port = int(closed_port().rpartition(":")[2])
    server = KfpServer(f"http://127.0.0.1:{port}", retry=RetryPolicy(tries=50, pause=0.05, longest=0.05))
    program = (
        f"import time, http.server as h; time.sleep(0.3)\n"
        f"class H(h.BaseHTTPRequestHandler):\n"
        f"    def do_POST(self):\n"
        f"        self.send_response(200); self.send_header('content-length', '2'); self.end_headers()\n"
        f"        self.wfile.write(b'{{}}')\n"
        f"h.HTTPServer(('127.0.0.1', {port}), H).handle_request()\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.DEVNULL):
        assert server.request("POST", "/runs", {}) == {}


def test_a_slow_server_is_waited_for_so_long_and_no_longer(replay: Replay):
    server = KfpServer(replay.url, retry=RetryPolicy(tries=1, read=0.2))
    replay.fail(times=9, delay=1.0)
    with pytest.raises(BackendUnavailable, match=r"no answer within 0\.2 s"):
        server.get(RUN)


def test_an_interrupt_reaches_who_waits_for_a_slow_server(replay: Replay):
    replay.fail(times=9, delay=5.0)
    program = (
        "import _thread, threading, time\n"
        "from kfnb.remote.kfp.server import KfpServer\n"
        "import urllib3\n"
        "threading.Timer(0.5, lambda: __import__('os').kill(__import__('os').getpid(), 2)).start()\n"
        "began = time.monotonic()\n"
        "try:\n"
        f"    KfpServer('{replay.url}').get('{RUN}')\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted', time.monotonic() - began < 4.5)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "interrupted True", done.stderr


@pytest.fixture
def token(tmp_path):
    file = tmp_path / "token"
    file.write_text("old\n")
    return file


def test_a_rotated_token_is_read_when_its_file_changes(replay: Replay, token):
    server = KfpServer(replay.url, Credentials(file=token), retry=HASTE)
    replay.tokens = {"old"}
    server.get(RUN)
    token.write_text("new\n")
    os.utime(token, (1, 1))
    replay.tokens = {"new"}
    server.get(RUN)
    assert {one["headers"]["authorization"] for one in replay.asked} == {"Bearer old", "Bearer new"}


def test_a_refused_token_is_read_again_once_and_then_it_is_said(replay: Replay, token):
    server = KfpServer(replay.url, Credentials(file=token), retry=HASTE)
    replay.tokens = {"old"}
    server.get(RUN)
    times = token.stat()
    token.write_text("new\n")
    os.utime(token, ns=(times.st_atime_ns, times.st_mtime_ns))  # a change that the times do not show
    replay.tokens = {"new"}
    server.get(RUN)
    replay.tokens = set()
    said = refusal(lambda: server.get(RUN))
    assert f"refused the token in {token} (401). Write a new token into that file, or set another" in said


def test_a_refused_token_may_be_good_later_only_where_its_file_is_written_anew(replay: Replay, token):
    replay.tokens = set()
    with pytest.raises(BackendUnavailable):
        KfpServer(replay.url, Credentials(file=token), retry=HASTE).get(RUN)
    with pytest.raises(BackendError, match=r"refused a token \(401\)\. Set a valid one") as caught:
        KfpServer(replay.url, Credentials("old"), retry=HASTE).get(RUN)
    assert not isinstance(caught.value, BackendUnavailable)


def test_a_token_file_that_is_not_there_is_said(tmp_path):
    server = KfpServer("http://127.0.0.1:1", Credentials(file=tmp_path / "none"), retry=HASTE)
    assert refusal(lambda: server.get(RUN)).endswith("none: No such file or directory")


def test_what_one_may_not_do_is_told_by_verb_resource_and_namespace(server, replay: Replay):
    told = (
        "Failed to authorize with API: PermissionDenied: User 'ann' is not authorized with reason: (request: "
        "&ResourceAttributes{Namespace:team-a,Verb:list,Group:pipelines.kubeflow.org,Version:v1beta1,"
        "Resource:runs,Subresource:,Name:,}): Unauthorized access"
    )
    replay.fail(status=403, body={"code": 7, "message": told})
    said = refusal(lambda: server.get("/runs"))
    assert "you may not list runs (pipelines.kubeflow.org) in namespace team-a (403)" in said


def test_a_refusal_that_tells_nothing_is_told_by_what_was_asked(server, replay: Replay):
    server.namespace = "team-b"
    replay.fail(status=403, body="RBAC: access denied")
    said = refusal(lambda: server.request("POST", f"{RUN}:terminate"))
    assert "you may not terminate runs in namespace team-b: RBAC: access denied (403)" in said


def test_a_thing_that_is_not_there(server):
    none = "00000000-0000-0000-0000-000000000000"
    with pytest.raises(MissingResource, match=f"Run {none} not found"):
        server.get(f"/runs/{none}")


def test_a_thing_that_exists(server, replay: Replay):
    row = next(row for row in exchanges("errors") if row["status"] == 409)
    replay.fail(status=409, body=row["response"])
    with pytest.raises(Exists, match="Failed to create a pipeline and a pipeline version"):
        server.request("POST", "/pipelines", {})


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        ("Run name cannot be empty", "Run name cannot be empty"),
        ("empty pipeline spec", "Failed to fetch a template with an empty pipeline spec manifest"),
        ("unknown template format", "unknown template format: pipeline spec is invalid"),
        ("PipelineVersion nope", "PipelineVersion nope not found"),
        (
            "requires type double",
            "input parameter rows requires type double or integer, but the parameter value",
        ),
        (
            "cannot find component",
            'error processing component name="root": cannot find component ref name="comp-load"',
        ),
        ("not a cron", "Schedule cron is not a supported format"),
        ("illegal base64", "Invalid page token"),
    ],
)
def test_a_refusal_is_its_sentence_and_not_its_stack(server, replay: Replay, part, sentence):
    row = next(row for row in exchanges("errors") if part in str(row["response"]) and row["status"] >= 400)
    replay.fail(status=row["status"], body=row["response"])
    said = refusal(lambda: server.request("POST", "/runs", {}))
    assert said.startswith(f"Kubeflow Pipelines: {sentence}")
    assert "\n" not in said
    assert "github.com/kubeflow" not in said


def test_a_login_page_is_told_from_an_answer(server, replay: Replay):
    replay.invented = lambda *_: (200, b"<!doctype html><title>Dex</title>")
    assert "answered with a login page" in refusal(lambda: server.get(RUN))
    replay.invented = lambda *_: (302, b"")
    assert "answered with a login page" in refusal(lambda: server.get(RUN))


def test_something_else_that_answers(server, replay: Replay):
    replay.invented = lambda *_: (404, b"<h1>nginx</h1>")
    assert "it is the address of Kubeflow Pipelines 2" in refusal(lambda: server.get(RUN))
    replay.invented = lambda *_: (200, b"hello")
    assert "not JSON" in refusal(lambda: server.get(RUN))


def test_a_namespace_is_told_only_to_a_server_that_knows_several(server, replay: Replay):
    server.namespace = "team-a"
    assert server.users_namespace == ""
    server._several = None
    replay.invented = lambda _, path, __: (200, {"multi_user": True}) if "healthz" in path else None
    assert server.users_namespace == "team-a"
    replay.asked.clear()
    assert server.users_namespace == "team-a"
    assert replay.asked == []
    server.namespace = ""
    assert "set your namespace" in refusal(lambda: server.users_namespace)


@pytest.mark.parametrize("url", ["not an address", "http://[", "ftp://x"])
def test_an_address_that_is_none_is_said(url):
    assert refusal(lambda: KfpServer(url, retry=HASTE).get(RUN))


@pytest.mark.parametrize(
    "fault",
    [{"status": 401}, {"status": 403}, {"status": 500}, {"drop": True}, {"status": 503}, {"cut": True}],
)
def test_secrets_are_in_no_message_and_in_no_traceback(replay: Replay, fault, capfd, caplog):
    credentials = Credentials(CANARY, cookies=f"session={CANARY}")
    server = KfpServer(replay.url, credentials, retry=HASTE)
    replay.fail(times=99, **fault)
    try:
        server.get(RUN)
    except BackendError as error:
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        text = "".join(shown.format()) + str(error) + repr(error)
    assert CANARY in str(replay.asked[-1]["headers"])
    out, err = capfd.readouterr()
    for said in (text, repr(server), str(credentials), repr(credentials), out, err, caplog.text):
        assert CANARY not in said
    with pytest.raises(TypeError):
        pickle.dumps(credentials)


def test_a_server_of_plain_http_has_no_certificate_to_trust(replay: Replay):
    said = refusal(lambda: KfpServer(replay.url.replace("http:", "https:"), retry=HASTE).get("/healthz"))
    assert "answers in plain HTTP" in said
    assert said.endswith(f"%kf_config host={replay.url}")


def test_certificates_are_looked_at(tmp_path):
    with serve_tls(tmp_path) as (url, authority):
        said = refusal(lambda: KfpServer(url, retry=HASTE).get("/healthz"))
        assert "cannot be trusted" in said
        assert "ca_file" in said
        assert KfpServer(url, ca=str(authority), retry=HASTE).get("/healthz") == {}
        assert KfpServer(url, verify=False, retry=HASTE).get("/healthz") == {}
