"""The router, before revisions that are servers of the test's own: real sockets, one event loop."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from kfnb.resources.services.local import router as module
from kfnb.resources.services.local.router import Router
from kfnb.resources.services.local.routing_table import RoutedRevision, RoutingTable
from kfnb.resources.services.model import Role
from kfnb.server.http import HttpServer
from kfnb.server.http_messages import HttpRequest, HttpResponse

PREDICT = "/v1/models/churn:predict"


class FakeRevision:
    """A revision that answers by a function, and remembers what it was asked."""

    def __init__(self, folder: Path, number: int, answer: Callable[[HttpRequest], Awaitable[Any]]) -> None:
        self.path = str(folder / f"{number}.sock")
        self.number, self.asked = number, list[HttpRequest]()
        self._answer = answer
        self.server: HttpServer | None = None

    async def start(self) -> FakeRevision:
        self.server = await HttpServer.on_socket(self.respond, self.path)
        return self

    async def stop(self) -> None:
        assert self.server is not None
        await self.server.stop(1)

    async def respond(self, request: HttpRequest) -> HttpResponse:
        self.asked.append(request)
        found = await self._answer(request)
        if isinstance(found, HttpResponse):
            return found
        headers = {
            "x-kfnb-version": str(self.number),
            "x-kfnb-request-id": request.headers["x-kfnb-request-id"],
        }
        return HttpResponse(200, json.dumps({"predictions": found}).encode(), headers=headers)

    def route(self, percent: int, role: Role = "default") -> RoutedRevision:
        return RoutedRevision(self.number, f"churn@{self.number}", self.number, role, percent, self.path)


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which paths of sockets are short enough."""
    found = tmp_path_factory.mktemp("s")
    monkeypatch.chdir(found)
    return Path()


def fake(folder: Path, number: int, answer: Any = None) -> FakeRevision:
    async def rows(request: HttpRequest) -> Any:
        return [number for _ in json.loads(request.body)["instances"]]

    return FakeRevision(folder, number, answer or rows)


def request(path: str = PREDICT, rows: int = 1, **headers: str) -> HttpRequest:
    body = json.dumps({"instances": [[1]] * rows}).encode()
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return HttpRequest("POST", path, {"content-type": "application/json", **named}, body)


def get(path: str, **headers: str) -> HttpRequest:
    return HttpRequest("GET", path, headers)


def code(response: HttpResponse) -> str:
    return str(json.loads(response.body)["code"])


def routed(*routes: RoutedRevision, sticky: str = "", generation: int = 1) -> RoutingTable:
    return RoutingTable(generation, routes, sticky)


async def answered(router: Router, one: HttpRequest) -> str:
    response = await router(one)
    assert response.status == 200, response
    return response.headers["x-kfnb-version"]


def test_the_split_is_exact_whatever_else_is_asked(folder: Path) -> None:
    async def main() -> None:
        old, new = await fake(folder, 1).start(), await fake(folder, 2).start()
        router = Router("churn")
        router.use(routed(old.route(99), new.route(1, "canary")))
        seen: list[str] = []
        for at in range(300):
            seen.append(await answered(router, request()))
            if at % 3 == 0:  # none of these counts
                await router(get("/v1/models/churn"))
                await router(request(x_kfnb_version="canary"))
        assert [Counter(seen[at : at + 100])["2"] for at in (0, 100, 200)] == [1] * 3
        assert {one.path for one in old.asked if one.method == "GET"} == {"/v1/models/churn"}
        assert not [one for one in new.asked if one.method == "GET"], (
            "what is no prediction goes to the default"
        )
        await old.stop()
        await new.stop()

    asyncio.run(main())


def test_the_split_stays_exact_when_many_ask_at_once(folder: Path) -> None:
    async def slow(one: HttpRequest) -> Any:
        await asyncio.sleep(0.001 * (len(one.headers["x-kfnb-request-id"]) % 3))
        return [0]

    async def main() -> None:
        old, new = await fake(folder, 1, slow).start(), await fake(folder, 2, slow).start()
        router = Router("churn")
        router.use(routed(old.route(95), new.route(5, "canary")))
        found = await asyncio.gather(*(answered(router, request()) for _ in range(1000)))
        assert Counter(found) == {"1": 950, "2": 50}
        await old.stop()
        await new.stop()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("wanted", "version"),
    [("default", "1"), ("canary", "2"), ("shadow", "3"), ("2", "2"), ("churn@1", "1")],
)
def test_a_header_reaches_one_version(folder: Path, wanted: str, version: str) -> None:
    async def main() -> None:
        some = [await fake(folder, number).start() for number in (1, 2, 3)]
        router = Router("churn")
        router.use(routed(some[0].route(99), some[1].route(1, "canary"), some[2].route(0, "shadow")))
        assert {await answered(router, request(x_kfnb_version=wanted)) for _ in range(5)} == {version}
        response = await router(request(x_kfnb_version="4"))
        assert (response.status, code(response)) == (404, "unknown-version")
        assert "canary (churn@2)" in json.loads(response.body)["error"]
        for one in some:
            await one.stop()

    asyncio.run(main())


def test_a_version_that_a_header_names_is_answered_by_no_other(folder: Path) -> None:
    async def main() -> None:
        old, new = await fake(folder, 1).start(), await fake(folder, 2).start()
        router = Router("churn")
        router.use(routed(old.route(50), new.route(50, "canary")))
        await new.stop()
        assert (await router(request(x_kfnb_version="canary"))).status == 503
        assert await answered(router, request()) == "1"
        await old.stop()

    asyncio.run(main())


def test_a_sticky_header_decides_and_without_it_the_split_is_exact(folder: Path) -> None:
    async def main() -> None:
        old, new = await fake(folder, 1).start(), await fake(folder, 2).start()
        router = Router("churn")
        router.use(routed(old.route(70), new.route(30, "canary"), sticky="x-customer"))
        first = {who: await answered(router, request(x_customer=who)) for who in map(str, range(200))}
        again = {who: await answered(router, request(x_customer=who)) for who in map(str, range(200))}
        assert first == again
        assert 30 < Counter(first.values())["2"] < 90
        assert Counter([await answered(router, request()) for _ in range(100)]) == {"1": 70, "2": 30}
        router.use(routed(old.route(40), new.route(60, "canary"), sticky="x-customer"))
        later = {who: await answered(router, request(x_customer=who)) for who in first}
        assert all(later[who] == "2" for who, version in first.items() if version == "2")
        await old.stop()
        await new.stop()

    asyncio.run(main())


def test_a_request_whose_version_is_gone_goes_to_the_other(folder: Path) -> None:
    async def main() -> None:
        old, new = await fake(folder, 1).start(), await fake(folder, 2).start()
        router = Router("churn")
        router.use(routed(old.route(50), new.route(50, "canary")))
        assert Counter([await answered(router, request()) for _ in range(10)]) == {"1": 5, "2": 5}
        await new.stop()  # the router has connections to it that it does not know to be closed
        assert {await answered(router, request()) for _ in range(10)} == {"1"}
        await old.stop()
        response = await router(request())
        assert (response.status, code(response), response.headers) == (503, "not-ready", {"retry-after": "1"})
        assert sum(one.errors.get("503", 0) for one in router.counters.values()) == 1

    asyncio.run(main())


def test_a_request_that_ends_processes_is_sent_to_two_at_most(folder: Path) -> None:
    asked: list[int] = []

    class Fatal(asyncio.Protocol):
        def __init__(self, number: int) -> None:
            self.number = number

        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            asked.append(self.number)
            self.transport.abort()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        servers = [await loop.create_unix_server(lambda n=n: Fatal(n), f"{n}.sock") for n in (1, 2, 3)]
        routes = [
            RoutedRevision(n, f"churn@{n}", n, "default" if n == 1 else "canary", share, f"{n}.sock")
            for n, share in ((1, 40), (2, 30), (3, 30))
        ]
        router = Router("churn")
        router.use(routed(*routes))
        assert (await router(request())).status == 503
        assert len(asked) == 2
        for server in servers:
            server.close()

    asyncio.run(main())


def test_a_table_is_swapped_between_two_requests_and_drops_none(folder: Path) -> None:
    async def slow(one: HttpRequest) -> Any:
        await asyncio.sleep(0.02)
        return [0]

    async def main() -> None:
        some = [await fake(folder, number, slow).start() for number in (1, 2)]
        router = Router("churn")
        router.use(routed(some[0].route(100)))
        waiting = [asyncio.create_task(router(request())) for _ in range(20)]
        await asyncio.sleep(0.01)
        router.use(routed(some[1].route(100), generation=2))
        later = [asyncio.create_task(router(request())) for _ in range(20)]
        assert router.counters[1].under_way == 20
        assert {(await one).headers["x-kfnb-version"] for one in waiting} == {"1"}
        assert {(await one).headers["x-kfnb-version"] for one in later} == {"2"}
        assert router.counters[1].under_way == 0
        assert router.counters[1].requests == 20
        for one in some:
            await one.stop()

    asyncio.run(main())


def test_requests_need_the_token_but_for_whether_it_is_alive(folder: Path) -> None:
    async def main() -> None:
        only = await fake(folder, 1).start()
        router = Router("churn", "s3cret")
        router.use(routed(only.route(100)))
        for headers in {}, {"authorization": "Bearer other"}, {"authorization": "s3cret"}:
            for path in PREDICT, "/metrics", "/kfnb/stats", "/v1/models":
                response = await router(request(path, **headers))
                assert (response.status, code(response)) == (401, "unauthorized")
        assert not only.asked
        for scheme in "Bearer", "bearer":  # a scheme is the same in any case: RFC 9110, 11.1
            assert await answered(router, request(authorization=f"{scheme} s3cret")) == "1"
        assert "authorization" not in only.asked[0].headers, "the token is not for the model"
        for path in "/v2/health/live", "/v2/health/ready", "/ready":
            assert (await router(get(path))).status == 200
        await only.stop()

    asyncio.run(main())


def test_it_says_whether_it_is_ready_and_what_it_counted(folder: Path) -> None:
    async def main() -> None:
        router = Router("churn")
        assert (await router(get("/v2/health/live"))).status == 200
        assert (await router(get("/v2/health/ready"))).status == 503
        assert code(await router(request())) == "not-ready"

        async def bad(_: HttpRequest) -> Any:
            return HttpResponse(422, b'{"error": "a column is missing", "code": "bad-input"}')

        some = [await fake(folder, 1).start(), await fake(folder, 2, bad).start()]
        router.use(routed(some[0].route(80), some[1].route(20, "canary")))
        for _ in range(100):
            await router(request())
        assert (await router(get("/ready"))).status == 200
        metrics = (await router(get("/metrics"))).body.decode()
        assert 'kfnb_requests_total{service="churn",version="churn@1",code="2xx"} 80' in metrics
        assert 'kfnb_requests_total{service="churn",version="churn@2",code="422"} 20' in metrics
        assert 'kfnb_request_seconds_bucket{service="churn",version="churn@1",le="+Inf"} 80' in metrics
        stats = json.loads((await router(get("/kfnb/stats"))).body)
        assert [(one["ref"], one["requests"]) for one in stats["versions"]] == [
            ("churn@1", 80),
            ("churn@2", 20),
        ]
        assert stats["versions"][1]["errors"] == {"422": 20}
        assert [sum(one["latency"]) for one in stats["versions"]] == [80, 20]
        for one in some:
            await one.stop()

    asyncio.run(main())


def test_a_path_of_v2_may_name_the_version(folder: Path) -> None:
    async def main() -> None:
        old, new = await fake(folder, 1).start(), await fake(folder, 2).start()
        router = Router("churn")
        router.use(routed(old.route(99), new.route(1, "canary")))
        path = "/v2/models/churn/versions/2"
        assert {await answered(router, request(f"{path}/infer")) for _ in range(3)} == {"2"}
        assert (await router(get("/v2/models/churn/versions/9"))).status == 404
        assert len(old.asked) == 0
        await old.stop()
        await new.stop()

    asyncio.run(main())


def test_only_the_head_of_an_answer_is_asked_for(folder: Path) -> None:
    async def main() -> None:
        only = await fake(folder, 1, lambda _: _answer(HttpResponse(200, b"{}"))).start()
        router = Router("churn")
        router.use(routed(only.route(100)))
        server = await HttpServer.on_port(router)
        reader, writer = await asyncio.open_connection("127.0.0.1", int(server.address.rpartition(":")[2]))
        writer.write(b"HEAD /v1/models HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        received = await asyncio.wait_for(reader.read(), 5)
        assert received.startswith(b"HTTP/1.1 200")
        assert received.endswith(b"\r\n\r\n")
        writer.close()
        await server.stop(1)
        await only.stop()

    asyncio.run(main())


async def _answer(response: HttpResponse) -> HttpResponse:
    return response


def test_each_request_has_an_id_and_keeps_the_one_that_it_came_with(folder: Path) -> None:
    async def main() -> None:
        only = await fake(folder, 1).start()
        router = Router("churn")
        router.use(routed(only.route(100)))
        ids = {(await router(request())).headers["x-kfnb-request-id"] for _ in range(20)}
        assert len(ids) == 20
        own = await router(request(x_kfnb_request_id="mine"))
        assert own.headers["x-kfnb-request-id"] == "mine"
        other = await router(request(x_kfnb_request_id="not an id"))
        assert re.fullmatch("[0-9a-f]{32}", other.headers["x-kfnb-request-id"]), (
            "a revision would choose one itself"
        )
        await only.stop()

    asyncio.run(main())


def test_a_shadow_gets_copies_and_its_disagreement_is_counted(folder: Path) -> None:
    async def rows(one: HttpRequest) -> Any:
        return [0.1 + 0.2, "yes", {"p": [1, 2]}, None]

    async def almost(one: HttpRequest) -> Any:
        return [0.3, "no", {"p": [1, 2]}, None]

    async def main() -> None:
        old, shadow = await fake(folder, 1, rows).start(), await fake(folder, 2, almost).start()
        router = Router("churn")
        router.use(routed(old.route(100), shadow.route(0, "shadow")))
        for _ in range(5):
            assert await answered(router, request()) == "1"
            await asyncio.sleep(0.02)
        await router(request("/v1/models/churn:explain"))
        counters = router.counters[2]
        assert (counters.requests, counters.compared, counters.differing) == (5, 20, 5)
        assert [one.headers["x-kfnb-request-id"] for one in old.asked[:5]] == [
            one.headers["x-kfnb-request-id"] for one in shadow.asked
        ]
        await shadow.stop()
        assert await answered(router, request()) == "1", "a shadow that is gone harms nobody"
        await old.stop()

    asyncio.run(main())


def test_copies_to_a_slow_shadow_are_left_out_and_counted(folder: Path) -> None:
    async def slow(one: HttpRequest) -> Any:
        await asyncio.sleep(0.2)
        return [0]

    async def main() -> None:
        old, shadow = await fake(folder, 1).start(), await fake(folder, 2, slow).start()
        router = Router("churn")
        router.use(routed(old.route(100), shadow.route(0, "shadow")))
        for _ in range(30):
            await answered(router, request())
        assert router.counters[2].skipped == 22
        await asyncio.sleep(0.3)
        await old.stop()
        await shadow.stop()

    asyncio.run(main())


def test_compressed_answers_are_compared_and_passed_on_as_they_are(folder: Path) -> None:
    packed = gzip.compress(json.dumps({"predictions": [1]}).encode())

    async def zipped(one: HttpRequest) -> Any:
        return HttpResponse(200, packed, headers={"content-encoding": "gzip", "x-kfnb-version": "1"})

    async def main() -> None:
        old, shadow = await fake(folder, 1, zipped).start(), await fake(folder, 2).start()
        router = Router("churn")
        router.use(routed(old.route(100), shadow.route(0, "shadow")))
        response = await router(request(accept_encoding="gzip"))
        assert (response.body, response.headers["content-encoding"]) == (packed, "gzip")
        await asyncio.sleep(0.05)
        assert "accept-encoding" not in shadow.asked[0].headers
        assert (router.counters[2].compared, router.counters[2].differing) == (1, 1)
        await old.stop()
        await shadow.stop()

    asyncio.run(main())


def test_a_revision_that_says_nothing_is_given_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kfnb.resources.services.local.upstream.TIMEOUT", 0.1)

    async def silent(one: HttpRequest) -> Any:
        await asyncio.sleep(10)

    async def main() -> None:
        only = await fake(folder, 1, silent).start()
        router = Router("churn")
        router.use(routed(only.route(100)))
        response = await router(request())
        assert (response.status, code(response)) == (504, "timeout")
        assert router.counters[1].under_way == 0
        await only.stop()

    asyncio.run(main())


def test_a_client_that_leaves_spoils_no_other_s_answer(folder: Path) -> None:
    async def slow(one: HttpRequest) -> Any:
        await asyncio.sleep(0.05)
        return json.loads(one.body)["instances"][0]

    async def main() -> None:
        only = await fake(folder, 1, slow).start()
        router = Router("churn")
        router.use(routed(only.route(100)))
        await router(request())
        leaves = asyncio.create_task(router(request()))
        await asyncio.sleep(0.01)
        leaves.cancel()
        await asyncio.wait({leaves})
        body = json.dumps({"instances": [[7]]}).encode()
        response = await router(HttpRequest("POST", PREDICT, {}, body))
        assert json.loads(response.body) == {"predictions": [7]}
        assert router.counters[1].under_way == 0
        await only.stop()

    asyncio.run(main())


def test_counters_of_revisions_that_are_gone_are_kept_for_a_while_and_then_forgotten(folder: Path) -> None:
    async def main() -> None:
        router = Router("churn")
        for number in range(1, 60):
            router.use(routed(RoutedRevision(number, f"churn@{number}", number, "default", 100, "none.sock")))
        assert len(router.counters) == module._RETIRED + 1
        assert 59 in router.counters

    asyncio.run(main())
