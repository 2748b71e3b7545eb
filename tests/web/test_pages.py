"""``kfnb ui``: what notebooks show, by HTTP and a WebSocket, to who has the token alone."""

from __future__ import annotations

import asyncio
import json
import re
import socket

import pytest
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from kfnb.cli import main
from kfnb.web.section import sections
from tests.web.server import kfnb_ui


@pytest.fixture
def run(shell):
    """A run that has succeeded, in the home of the test."""
    shell.run("%%kf_component double --param n:int=4\nm = n * 2")
    shell.run("%kf_pipeline twice double")
    return shell.submit("twice")


@pytest.fixture
def pages(shell):
    """The server, of the test's home."""
    with kfnb_ui() as found:
        yield found


def test_every_section_has_its_page_also_where_there_is_nothing_yet(pages):
    pages.open()
    for section in sections():
        status, body, _ = pages.get(f"/{section.path}")
        assert status == 200, body
        assert section.title in body


def test_the_token_is_a_cookie_after_the_first_page_and_in_no_address(pages):
    status, body, answer = pages.open()
    assert (status, answer.url) == (200, f"http://{pages.host}/")
    assert "HttpOnly" in str([cookie._rest for cookie in pages.jar])
    token = pages.address.partition("token=")[2]
    assert token not in body


@pytest.mark.parametrize("path", ["/", "/runs", "/runs/x", "/?token=wrong", "/socket"])
def test_who_has_no_token_sees_nothing(pages, path):
    status, body, _ = pages.get(path)
    assert status == 403
    assert "<nav>" not in body or "</a>" not in body.partition("<nav>")[2].partition("</nav>")[0]


def test_a_name_that_a_foreign_server_made_ours_reaches_nothing(pages):
    pages.open()
    assert pages.get("/runs", Host="example.com")[0] == 421
    query = pages.address.partition("?")[2]
    assert pages.get(f"/?{query}", Host="example.com")[0] == 421


def test_scripts_come_from_the_server_alone_and_no_page_may_embed_it(pages):
    policy = pages.open()[2].headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy


def test_a_list_links_to_the_page_of_each_thing(run, pages):
    pages.open()
    body = pages.get("/runs")[1]
    assert f'href="/runs/{run.id}"' in body
    status, body, _ = pages.get(f"/runs/{run.id}")
    assert status == 200
    mark = re.search(r'<body data-mark="(\w+)"', body)[1]
    assert f'data-kfnb="{mark}"' in body


def test_what_is_unknown_is_said_in_words(pages):
    pages.open()
    status, body, _ = pages.get("/runs/261130-000000-none")
    assert (status, "unknown run" in body) == (404, True)
    status, body, _ = pages.get("/kettles")
    assert (status, "unknown page /kettles" in body) == (404, True)
    status, body, _ = pages.get("/services/<script>alert(1)")
    assert "<script>alert" not in body


async def _asked(pages, *contents, **headers):
    """What the server answers a page that sends these messages; the last is answered, or else nothing comes."""
    given = {"Cookie": pages.cookie, "Origin": f"http://{pages.host}", **headers}
    connection = await websocket_connect(HTTPRequest(f"ws://{pages.host}/socket", headers=given))
    for content in contents:
        await connection.write_message(content)
    answers = []
    while not answers or answers[-1]["message"]["kind"] == "reply":
        answers.append(json.loads(await asyncio.wait_for(connection.read_message(), 30)))
    connection.close()
    while await connection.read_message() is not None:
        pass
    return answers


def _watch(run):
    return json.dumps({"do": "watch", "type": "run", "id": run.id})


def test_a_page_is_told_all_of_what_it_shows(run, pages):
    pages.open()
    [told] = asyncio.run(_asked(pages, _watch(run)))
    assert (told["message"]["kind"], told["message"]["id"], told["buffers"]) == ("whole", run.id, 0)


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://example.com"}, {"Cookie": ""}, {"Origin": "https://127.0.0.1"}]
)
def test_a_page_of_another_site_cannot_connect(pages, headers):
    pages.open()
    with pytest.raises(HTTPClientError, match="403"):
        asyncio.run(_asked(pages, "{}", **headers))


def test_what_is_no_request_ends_nothing(run, pages):
    pages.open()
    refused, told = asyncio.run(_asked(pages, "not json", "[]", '{"do": "fly"}', _watch(run)))
    assert refused["message"]["kind"] == "reply"
    assert told["message"]["kind"] == "whole"


def test_a_port_that_is_taken_is_named(capsys, shell):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["ui", "--no-browser", "--port", str(port)]) == 2
    assert f"cannot listen at port {port}" in capsys.readouterr().err
