"""Watches go on, whatever becomes of the connection, and begin anew where what happened is not known any more."""

import threading
import time

import pytest
from asked_kubernetes import asking
from replay_kubernetes import NAMESPACE, Fault, recorded

from kfnb.errors import BackendError, BackendUnavailable, Hidden, Unauthenticated
from kfnb.remote.kubernetes.watch import ANEW, events
from kfnb.remote.retry import RetryPolicy

NOTEBOOKS = f"/apis/kubeflow.org/v1/namespaces/{NAMESPACE}/notebooks"
EVENTS = f"/api/v1/namespaces/{NAMESPACE}/events"


def take(watch, count):
    found = []
    for word, told in watch:
        found.append((word, told))
        if len(found) == count:
            return found
    return found


def test_a_watch_begins_with_all_there_is_and_goes_on_with_what_happens(as_user):
    watch = as_user("viewer").watch(NOTEBOOKS)
    (first, everything), *later = take(watch, 4)
    assert first == ANEW
    assert len(everything["items"]) > 4
    assert [word for word, _ in later] == ["ADDED", "MODIFIED", "MODIFIED"]
    assert watch.version == later[-1][1]["metadata"]["resourceVersion"]


def test_a_watch_of_a_version_begins_there(as_user, replay):
    watch = as_user("viewer").watch(NOTEBOOKS, version="2573")
    word, told = take(watch, 1)[0]
    assert (word, told["metadata"]["resourceVersion"]) == ("MODIFIED", "2574")
    assert len(replay.asked) == 1


def test_bookmarks_move_the_version_and_are_nobodys_business(as_user):
    watch = as_user("viewer").watch(NOTEBOOKS, version="2549")
    words = [word for word, _ in take(watch, 12)]
    assert "BOOKMARK" not in words


@pytest.mark.parametrize("path", [NOTEBOOKS, EVENTS])
def test_an_expired_watch_is_a_200_with_an_error_in_it_and_begins_anew(as_user, replay, path):
    old = "1" if path == NOTEBOOKS else "50"
    row = next(
        row
        for row in _streams(path)
        if row["query"]["resourceVersion"] == old and '"code":410' in row["stream"][0][1]
    )
    assert row["status"] == 200
    watch = as_user("viewer").watch(path, {"timeoutSeconds": 2}, version=old)
    word, told = take(_asking_as_recorded(watch), 1)[0]
    assert word == ANEW
    assert told["items"]


def _streams(path):
    return [row for row in recorded() if row["path"].startswith(path + "?") and row.get("stream")]


def _asking_as_recorded(watch):
    """The recorded requests ask for no bookmarks, and for two seconds."""
    inner = watch._kubernetes.open

    def opened(path, query, **words):
        kept = {name: query[name] for name in ("watch", "resourceVersion") if query.get(name)}
        return inner(path, kept | {"timeoutSeconds": 2}, **words)

    watch._kubernetes.open = opened
    return watch


def test_a_watch_goes_on_after_the_connection_drops(as_user, replay):
    replay.faults += [Fault(drop=True, match="watch=true"), Fault(status=503, match="watch=true")]
    words = [word for word, _ in take(as_user("viewer").watch(NOTEBOOKS), 3)]
    assert words == [ANEW, "ADDED", "MODIFIED"]


def test_a_watch_that_ends_goes_on_from_the_last_version(as_user, replay):
    """The recorded stream lasts 78 s, here 0.4 s; what was seen is not sent again."""
    viewer = as_user("viewer")
    watch = viewer.watch(NOTEBOOKS, version="2549")
    seen = []
    timer = threading.Timer(1.5, watch.close)
    timer.start()
    seen += [told["metadata"]["resourceVersion"] for _, told in watch]
    assert len(seen) == len(set(seen)) > 3
    asked = [one.path for one in replay.asked if "watch=true" in one.path]
    assert len(asked) > 1
    assert f"resourceVersion={watch.version}" in asked[-1]
    assert len(asked) < 60  # a stream that ends at once is not asked for in a hurry


class Counting(RetryPolicy):
    """Waits for nothing, and notes how often in a row there was nothing."""

    def before(self, number, retry_after=""):
        self.__dict__.setdefault("numbers", []).append(number)
        return 0.0


def test_a_stream_that_ends_at_once_is_asked_for_less_and_less_often(replay):
    """As behind a proxy that lets no answer last."""
    replay.speed = 1e6
    retry = Counting()
    watch = asking(replay.url, "viewer", retry).watch(NOTEBOOKS, version="2549")
    threading.Timer(1.0, watch.close).start()
    list(watch)
    assert retry.numbers[:4] == [0, 1, 2, 3]


def test_a_watch_is_ended_from_another_thread_while_nothing_happens(replay):
    replay.speed = 1.0
    watch = asking(replay.url, "viewer").watch(NOTEBOOKS, version="2549")
    threading.Timer(0.3, watch.close).start()
    began = time.monotonic()
    assert list(watch) == []
    assert time.monotonic() - began < 3


def test_what_may_not_be_watched_is_said_at_once(as_user, replay):
    with pytest.raises(Hidden):
        list(as_user("nobody").watch(NOTEBOOKS))
    with pytest.raises(Unauthenticated):
        list(asking(replay.url, "wrong").watch(NOTEBOOKS))


def test_a_server_that_never_answers_is_said_at_once():
    hasty = RetryPolicy(tries=1, pause=0.01, connect=0.5)
    with pytest.raises(BackendUnavailable):
        list(asking("http://127.0.0.1:1", retry=hasty).watch(NOTEBOOKS))


def spoilt(replay, fault):
    """Watches until it fails; all goes wrong after the list."""
    watch = asking(replay.url, "viewer", RetryPolicy(tries=1, pause=0.05, longest=0.1)).watch(NOTEBOOKS)
    for word, _ in watch:
        yield word
        if word != ANEW:
            replay.faults[:] = [fault]


def test_a_server_that_stays_away_is_said_after_a_while(replay, monkeypatch):
    monkeypatch.setattr("kfnb.remote.kubernetes.watch._AWAY_FOR", 0.5)
    with pytest.raises(BackendUnavailable):
        list(spoilt(replay, Fault(times=1000)))
    assert replay.faults[0].times < 998


def test_a_right_that_is_taken_away_is_said_after_a_while(replay, monkeypatch):
    """A server that starts again refuses all for a moment, so the first refusal is not believed."""
    monkeypatch.setattr("kfnb.remote.kubernetes.watch._UNSURE_FOR", 0.3)
    sentence = 'User "viewer" cannot watch resource "notebooks" in API group "kubeflow.org" in the namespace "team-a"'
    with pytest.raises(Hidden):
        list(spoilt(replay, Fault(times=1000, status=403, message=sentence)))
    assert replay.faults[0].times < 998


def test_why_watches_begin_with_a_list_of_their_own():
    """A list within the watch needs a feature gate that a server may have off."""
    row = next(row for row in recorded() if "sendInitialEvents" in row["path"])
    assert row["status"] == 422


@pytest.mark.parametrize(
    "line", ["{}", "7", "[]", '{"type": "ADDED"}', '{"type": "ERROR", "object": "gone"}', "<html>"]
)
def test_what_is_no_watch_is_said_in_a_sentence(line):
    with pytest.raises(BackendError, match="something that is not a watch"):
        list(events([line], NOTEBOOKS, "http://there"))
