"""Calls over gRPC, of messages that are described at run time, against a real server."""

import threading
from concurrent import futures

import pytest

from kfnb.errors import BackendError, BackendUnavailable
from kfnb.remote.grpc import GrpcApi, calls, messages

API = GrpcApi(
    "kfnb.test",
    "Shop",
    {
        "FindRequest": (("name", 1, "string"), ("numbers", 2, "*int64")),
        "FindReply": (
            ("thing", 1, "Thing"),
            ("others", 2, "*Thing"),
            ("notes", 3, "map<string, Thing>"),
            ("free", 4, "google.protobuf.Struct"),
        ),
        "Thing": (("name", 1, "string"), ("price", 2, "double"), ("sold", 3, "bool")),
    },
)


@pytest.fixture
def shop():
    import grpc

    class Shop(grpc.GenericRpcHandler):
        refuses = None
        waits = threading.Event()

        def service(self, details):
            assert details.method == "/kfnb.test.Shop/Find"
            known = messages(API)

            def find(request, context):
                if self.refuses:
                    context.abort(self.refuses, "told by the test")
                if request.name == "slow":
                    self.waits.wait(5)
                thing = {"name": request.name, "price": float(sum(request.numbers))}
                return known["FindReply"](
                    thing=thing, others=[thing] * 2, notes={"a": thing}, free={"b": [1.5]}
                )

            return grpc.unary_unary_rpc_method_handler(
                find, known["FindRequest"].FromString, lambda reply: reply.SerializeToString()
            )

    handler = Shop()
    server = grpc.server(futures.ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((handler,))
    handler.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield handler
    handler.waits.set()
    server.stop(None).wait()


def find(address: str, name: str = "hat", timeout: float = 5.0):
    with calls(API, address, server="the shop", timeout=timeout) as call:
        return call("Find", {"name": name, "numbers": [1, 2, 3]})


def test_what_is_described_by_its_fields_goes_out_and_comes_in(shop):
    found = find(shop.address)
    assert (found.thing.name, found.thing.price, found.thing.sold) == ("hat", 6.0, False)
    assert [one.name for one in found.others] == ["hat", "hat"]
    assert found.notes["a"].price == 6.0
    assert found.free["b"][0] == 1.5


def test_fields_of_a_newer_server_are_skipped():
    newer = GrpcApi("kfnb.test", "Newer", {"Thing": (("name", 1, "string"), ("colour", 9, "string"))})
    sent = messages(newer)["Thing"](name="hat", colour="red").SerializeToString()
    assert messages(API)["Thing"].FromString(sent).name == "hat"


def test_where_nothing_listens_it_may_answer_later():
    with pytest.raises(BackendUnavailable, match=r"the shop does not answer at 127\.0\.0\.1:1: "):
        find("127.0.0.1:1")


def test_a_server_that_takes_too_long_is_not_waited_for(shop):
    with pytest.raises(BackendUnavailable, match="the shop does not answer"):
        find(shop.address, "slow", timeout=0.2)


def test_a_refusal_is_final(shop):
    import grpc

    shop.refuses = grpc.StatusCode.PERMISSION_DENIED
    with pytest.raises(
        BackendError, match=r"the shop at .* refused \(PERMISSION_DENIED\): told by the test"
    ) as caught:
        find(shop.address)
    assert not isinstance(caught.value, BackendUnavailable)


def test_no_proxy_stands_between(shop, monkeypatch):
    """gRPC's own rule would send a call to the cluster's own services through a company's proxy."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert find(shop.address).thing.name == "hat"
