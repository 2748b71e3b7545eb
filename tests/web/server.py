"""A server of ``kfnb ui`` in its own process, and a client that keeps cookies."""

from __future__ import annotations

import http.cookiejar
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class Pages:
    """The pages as a browser reaches them that opened ``address``, unless it is told otherwise."""

    address: str
    jar: http.cookiejar.CookieJar = field(default_factory=http.cookiejar.CookieJar)

    @property
    def host(self) -> str:
        return urlsplit(self.address).netloc

    @property
    def cookie(self) -> str:
        """What a browser sends with each request."""
        return "; ".join(f"{one.name}={one.value}" for one in self.jar)

    def get(self, path: str, **headers: str) -> tuple[int, str, urllib.request.Request]:
        """The status, the body and the address that was reached last."""
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))
        request = urllib.request.Request(f"http://{self.host}{path}", headers=headers)
        try:
            answer = opener.open(request, timeout=60)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return answer.status, answer.read().decode(), answer

    def open(self) -> tuple[int, str, urllib.request.Request]:
        """Open the address with the token, as ``kfnb ui`` prints it."""
        return self.get("/?" + urlsplit(self.address).query)


@contextmanager
def kfnb_ui() -> Iterator[Pages]:
    """Start it; it is ended afterwards as by Ctrl+C."""
    command = [sys.executable, "-m", "kfnb", "ui", "--no-browser"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        line = process.stdout.readline()
        yield Pages(re.search(r"http://\S+", line)[0])
    finally:
        process.terminate()
        process.communicate(timeout=30)
