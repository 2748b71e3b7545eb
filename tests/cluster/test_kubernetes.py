"""What is asked of Kubernetes and what it answers, told apart, against what a real API server said."""

import json
import random
import threading
import time
from itertools import islice

import pytest
from asked_kubernetes import HASTE, asking
from hypothesis import given
from hypothesis import strategies as st
from replay_kubernetes import NAMESPACE, Fault, exchange, recorded

from kfnb.errors import (
    Absent,
    BackendError,
    BackendUnavailable,
    Conflict,
    Hidden,
    Invalid,
    Refused,
    Unauthenticated,
)
from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.remote.kubernetes.errors import Expired, refusal
from kfnb.remote.retry import RetryPolicy

TEAM = f"/api/v1/namespaces/{NAMESPACE}"
NOTEBOOKS = f"/apis/kubeflow.org/v1/namespaces/{NAMESPACE}/notebooks"
TRIALS = f"/apis/kubeflow.org/v1beta1/namespaces/{NAMESPACE}/trials"
EXPIRED = "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MjcyMCwic3RhcnQiOiJjaHVybi10dW5lLW1mNnRuMndtXHUwMDAwIn0"


def names(items) -> list[str]:
    return [item["metadata"]["name"] for item in items]


def test_the_servers_version_is_asked_for(as_user, user):
    assert as_user(user).version()["gitVersion"].startswith("v1.36.2")


def test_an_object_is_what_the_server_has(as_user):
    pod = as_user("viewer").get(f"{TEAM}/pods/churn-eda-0")
    assert (pod["kind"], pod["status"]["phase"]) == ("Pod", "Running")


def test_a_list_is_read_page_by_page(as_user, replay):
    found = names(islice(as_user("admin").list("/api/v1/pods", {"limit": 2}), 6))
    assert len(set(found)) == 6
    assert len(replay.asked) == 3
    assert "continue=" in replay.asked[1].path


def test_a_list_whose_continue_has_expired_goes_on_with_the_fresh_one(as_user, replay):
    """HTTP 410, with a token in it that goes on as of now."""
    gone = exchange("viewer", "GET", f"{TRIALS}?limit=5&continue={EXPIRED}", 410)
    fresh = gone["response"]["metadata"]["continue"]
    first = next(
        row["response"] for row in recorded() if row["path"] == f"{TRIALS}?limit=5" and row["topic"] == "gone"
    )
    asked: list[str] = []

    class Once(Kubernetes):
        def get(self, path, query=None):
            asked.append(query["continue"])
            if not query["continue"]:
                return first
            if query["continue"] == first["metadata"]["continue"]:
                return self._refused()
            return super().get(path, query) if query["continue"] == fresh else {"items": []}

        def _refused(self):
            raise refusal(410, json.dumps(gone["response"]), method="GET", path=TRIALS, host="there")

    ours = Once(lambda: as_user("viewer").configuration, retry=HASTE)
    assert len(names(ours.list(TRIALS, {"limit": 5}))) == 10
    assert asked[:3] == ["", EXPIRED, fresh]


def test_a_snapshot_whose_continue_has_expired_begins_anew(as_user):
    """Pages of two moments would hide what happened between them from a watch."""
    pages = [
        {"items": [{}], "metadata": {"continue": "a"}},
        None,
        {"items": [{}, {}], "metadata": {"resourceVersion": "7"}},
    ]

    class Once(Kubernetes):
        def get(self, path, query=None):
            page = pages.pop(0)
            if page is None:
                raise Expired("too old", "fresh")
            return page

    items, version = Once(lambda: None).snapshot(TRIALS)
    assert (len(items), version) == (2, "7")


@pytest.mark.parametrize(
    ("who", "path", "verb", "resource", "namespace"),
    [
        ("viewer", "/api/v1/nodes", "list", "nodes", ""),
        ("viewer", f"{TEAM}/secrets", "list", "secrets", NAMESPACE),
        ("nobody", NOTEBOOKS, "list", "notebooks", NAMESPACE),
        ("viewer", "/apis/ray.io/v1/namespaces/team-a/rayclusters", "list", "rayclusters", NAMESPACE),
        ("viewer", "/api/v1/namespaces/no-such-namespace/pods", "list", "pods", "no-such-namespace"),
        ("viewer", "/nowhere", "get", "/nowhere", ""),
    ],
)
def test_what_a_user_may_not_see_is_hidden_whether_it_is_there_or_not(
    as_user, who, path, verb, resource, namespace
):
    with pytest.raises(Hidden) as caught:
        as_user(who).get(path)
    hidden = caught.value
    assert (hidden.user, hidden.verb, hidden.resource, hidden.namespace) == (who, verb, resource, namespace)
    assert f"{who} may not {verb} {resource}" in str(hidden)


@pytest.mark.parametrize(
    ("who", "path", "kind"),
    [
        ("viewer", f"{TEAM}/pods/nope-0", "object"),
        ("admin", "/api/v1/namespaces/no-such-namespace", "namespace"),
        ("admin", "/apis/ray.io/v1/namespaces/team-a/rayclusters", "resource"),
        ("admin", "/apis/kubeflow.org/v9/namespaces/team-a/notebooks", "resource"),
        ("admin", "/apis/kubeflow.org/v1/namespaces/team-a/notebookz", "resource"),
        ("viewer", "/apis/nothere.example.com", "resource"),
        ("admin", "/nowhere", "resource"),
    ],
)
def test_what_is_absent_says_what_is_not_there(as_user, who, path, kind):
    """An unknown group answers in plain text, an unknown object as a Status."""
    with pytest.raises(Absent) as caught:
        as_user(who).get(path)
    assert caught.value.kind == kind


def test_a_namespace_that_is_not_there_lists_as_empty_for_who_may_see_all(as_user):
    assert list(as_user("admin").list("/api/v1/namespaces/no-such-namespace/pods")) == []


def test_a_token_that_is_wrong_is_not_a_right_that_is_missing(replay):
    with pytest.raises(Unauthenticated, match="refused your credentials") as caught:
        asking(replay.url, "canary-7f3a").get(f"{TEAM}/pods")
    assert "canary" not in str(caught.value)
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    with pytest.raises(
        Unauthenticated, match="neither a token nor a certificate"
    ):  # which is a 403 for Kubernetes
        asking(replay.url).create("/apis/authentication.k8s.io/v1/selfsubjectreviews", review)


def test_what_somebody_else_did_before_is_a_conflict():
    rows = [row for row in recorded() if row["status"] == 409]
    told = [
        refusal(409, json.dumps(row["response"]), method=row["method"], path=row["path"], host="there")
        for row in rows
    ]
    assert {(type(one), one.exists) for one in told} == {(Conflict, True), (Conflict, False)}
    assert all(one.exists == ("already exists" in str(one)) for one in told)


def posted(user: str, words: str) -> list[dict]:
    return [
        row
        for row in recorded()
        if row["user"] == user
        and row["status"] >= 400
        and isinstance(row["response"], dict)
        and words in row["response"].get("message", "")
    ]


@pytest.mark.parametrize(
    "words", ["exceeded quota", "violates PodSecurity", "error looking up service account"]
)
def test_a_rule_of_the_cluster_is_not_a_right_that_is_missing(as_user, words):
    """Kubernetes answers 403 to all of them; only the sentence tells."""
    row = posted("editor", words)[0]
    assert row["status"] == 403
    with pytest.raises(Refused) as caught:
        as_user("editor")._json("POST", row["path"], row["query"], row["request"])
    assert row["response"]["message"] in str(caught.value)


@pytest.mark.parametrize("status", [400, 405, 406, 415, 422])
def test_what_is_invalid_is_said_in_the_servers_own_sentence(status):
    rows = [row for row in recorded() if row["status"] == status and isinstance(row["response"], dict)]
    for row in rows:
        told = refusal(
            status, json.dumps(row["response"]), method=row["method"], path=row["path"], host="there"
        )
        assert isinstance(told, Invalid)
        assert row["response"]["message"][:1000] in str(told)
    assert rows


def test_why_what_is_made_is_checked_strictly(as_user, replay):
    """Without being told to, a server makes an object without the fields that it does not know, and warns of them."""
    row = next(row for row in recorded() if 'unknown field \\"spec.colour' in row.get("warning", ""))
    assert (row["method"], row["status"]) == ("POST", 201)
    assert "colour" not in row["response"]["spec"]
    with pytest.raises(Invalid, match="unknown field"):
        as_user("editor").create(NOTEBOOKS, row["request"], dry_run=True)
    assert "fieldValidation=Strict" in replay.asked[-1].path


def test_why_events_are_read_as_they_come_and_by_no_model_of_the_client(as_user):
    """The client's own model of an event refuses what a server sends: one without a time of its own."""
    from kubernetes.client import ApiClient, EventsV1Api

    viewer = as_user("viewer")
    with pytest.raises(ValueError, match="event_time"):
        EventsV1Api(ApiClient(viewer.configuration)).list_namespaced_event(NAMESPACE, limit=3)
    assert viewer.get(f"/apis/events.k8s.io/v1/namespaces/{NAMESPACE}/events", {"limit": 3})["items"]
    assert viewer.get(f"{TEAM}/events")["items"]


def test_why_changes_are_merge_patches():
    """The client's usual patch is refused for every custom resource."""
    strategic = [
        row for row in recorded() if row.get("request_type") == "application/strategic-merge-patch+json"
    ]
    statuses = {row["status"] for row in strategic if "/apis/kubeflow.org/" in row["path"]}
    assert statuses == {415}


def test_no_change_of_ours_writes_a_status():
    """A server drops one in silence: tests/kubernetes shows it."""
    from kfnb.resources.notebooks.engine import KINDS

    assert not any("status" in change for kind in KINDS for change in (kind.stopping("now"), kind.starting()))


def test_containers_are_owned_as_a_whole(as_user):
    """Who applies one container of a notebook owns them all, as the refusal says."""
    told = exchange("editor", "PATCH", f"{NOTEBOOKS}/applied?fieldManager=kfnb", 409)
    error = refusal(409, json.dumps(told["response"]), method="PATCH", path=NOTEBOOKS, host="there")
    assert ".spec.template.spec.containers" in str(error)
    assert "containers[" not in str(error)


def test_applying_an_unknown_field_is_a_500_for_the_server_and_invalid_for_us(as_user, replay):
    path = f"{NOTEBOOKS}/applied"
    row = exchange("editor", "PATCH", f"{path}?fieldManager=kfnb&force=true", 500)
    assert "reason" not in row["response"]
    with pytest.raises(Invalid, match=r"\.spec\.colour: field not declared in schema"):
        as_user("editor").apply(path, row["request"], force=True)
    assert len(replay.asked) == 1  # and is not asked again


def test_what_is_applied_is_ours_until_another_owns_it(as_user):
    path, editor = f"{NOTEBOOKS}/applied", as_user("editor")
    body = exchange("editor", "PATCH", f"{path}?fieldManager=kfnb", 201)["request"]
    assert editor.apply(path, body, dry_run=True)["metadata"]["name"] == "applied"
    assert editor.apply(path, body)["metadata"]["name"] == "applied"
    told = exchange("editor", "PATCH", f"{path}?fieldManager=kfnb", 409)
    forced = exchange("editor", "PATCH", f"{path}?fieldManager=other-tool&force=true", 200)
    editor._json("PATCH", path, forced["query"], forced["request"], kind=forced["request_type"])
    with pytest.raises(Conflict, match=r"conflicts with .other-tool"):
        editor.apply(path, told["request"])


def test_a_notebook_lives_from_creating_to_deleting(as_user, replay):
    editor, path = as_user("editor"), f"{NOTEBOOKS}/demo"
    body = exchange("editor", "POST", f"{NOTEBOOKS}?fieldManager=kfnb&fieldValidation=Strict", 201)["request"]
    assert editor.create(NOTEBOOKS, body)["metadata"]["name"] == "demo"
    assert editor.get(path)["metadata"]["name"] == "demo"
    stopped = {"metadata": {"annotations": {"kubeflow-resource-stopped": "2026-11-23T18:29:39Z"}}}
    with pytest.raises(Hidden):
        as_user("viewer").patch(path, stopped)
    annotations = editor.patch(path, stopped)["metadata"]["annotations"]
    assert "kubeflow-resource-stopped" in annotations
    with pytest.raises(Hidden):
        as_user("viewer").delete(path)
    editor.delete(path)
    with pytest.raises(Absent):
        editor.get(path)
    assert "fieldValidation=Strict" in replay.asked[0].path


def test_a_read_is_asked_again_where_the_server_is_busy_or_hangs_up(as_user, replay):
    replay.faults += [Fault(status=503), Fault(drop=True)]
    assert as_user("viewer").get(f"{TEAM}/pods/churn-eda-0")["kind"] == "Pod"


def test_a_server_that_stays_busy_may_answer_later(as_user, replay):
    replay.faults.append(Fault(times=9, status=503))
    with pytest.raises(BackendUnavailable, match=r"is temporarily unavailable \(503\): injected fault"):
        as_user("viewer").get(f"{TEAM}/pods")
    assert replay.faults[0].times == 9 - HASTE.tries


def test_the_pause_that_a_server_asks_for_is_kept(replay):
    replay.faults.append(Fault(status=429, headers=(("Retry-After", "1"),)))
    began = time.monotonic()
    asking(replay.url, "viewer", RetryPolicy(tries=2, pause=0.001, longest=1.0)).version()
    assert time.monotonic() - began >= 0.8


def test_a_write_is_not_sent_twice_where_it_may_have_been_done(as_user, replay):
    replay.faults.append(Fault(times=9, drop=True))
    with pytest.raises(BackendUnavailable):
        as_user("editor").delete(f"{NOTEBOOKS}/demo")
    assert replay.faults[0].times == 8
    replay.faults[:] = [Fault(times=9, status=429)]
    with pytest.raises(BackendUnavailable):
        as_user("editor").delete(f"{NOTEBOOKS}/demo")
    assert replay.faults[0].times == 9 - HASTE.tries  # a refusal to look at it at all


def test_where_nothing_listens_the_address_is_said():
    with pytest.raises(BackendUnavailable, match=r"http://127\.0\.0\.1:1 does not answer: connection failed"):
        asking("http://127.0.0.1:1").version()


def test_a_server_that_is_silent_is_not_waited_for_for_ever(replay):
    replay.faults.append(Fault(delay=2.0))
    with pytest.raises(BackendUnavailable, match=r"no answer within 0\.2 s"):
        asking(replay.url, "viewer", RetryPolicy(read=0.2)).version()


def test_a_login_page_is_no_kubernetes(tmp_path):
    import http.server

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>sign in</html>")

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        with pytest.raises(BackendError, match="not JSON: it may be the login page of a proxy"):
            asking(f"http://127.0.0.1:{server.server_address[1]}").version()
    finally:
        server.shutdown()
        server.server_close()


def test_a_log_is_read_by_lines_and_that_of_a_pod_not_scheduled_yet_is_empty(as_user):
    viewer = as_user("viewer")
    lines = list(viewer.lines(f"{TEAM}/pods/churn-eda-0/log"))
    assert len(lines) > 1
    recording = next(row for row in recorded() if row["path"] == f"{TEAM}/pods/churn-eda-0/log")
    assert (
        lines == recording["response"].splitlines()
    )  # letters of UTF-8, though the server does not say that
    assert not recording["response"].isascii()
    assert list(viewer.lines(f"{TEAM}/pods/llm-tune-0/log")) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["message", "reason", "details", "metadata", "name", "kind"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(
    status=st.integers(300, 599), body=JSON.map(json.dumps) | st.text(max_size=40) | st.binary(max_size=40)
)
def test_whatever_a_refusal_says_it_is_one_error_in_one_sentence(status, body):
    error = refusal(status, body, method="GET", path="/api/v1/pods?limit=1", host="there")
    assert isinstance(error, BackendError)
    assert str(error)


def test_a_refusal_that_tells_the_whole_object_is_cut():
    body = json.dumps({"message": "Notebook is invalid: " + "x" * 20_000})
    error = refusal(
        422, body, method="PATCH", path="/apis/kubeflow.org/v1/namespaces/a/notebooks/b", host="there"
    )
    assert str(error).startswith("Kubernetes: Notebook is invalid: x")
    assert len(str(error)) < 1100


def test_a_pause_between_tries_leaves_a_notebooks_seed_alone():
    random.seed(1)
    before = random.getstate()
    assert 0 < RetryPolicy().before(0) <= 0.3
    assert random.getstate() == before
