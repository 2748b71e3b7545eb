"""Load on a service: requests over connections that stay open, until told to stop."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

BODY = json.dumps({"instances": [[1, 2]]})


@dataclass
class Load:
    """What came of it so far: answers by version, and what went wrong."""

    url: str
    name: str = "churn"
    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """The requests that were answered."""
        return sum(self.answers.values())

    def ask(self, connection: http.client.HTTPConnection) -> None:
        """Send a request."""
        connection.request(
            "POST", f"/v1/models/{self.name}:predict", BODY, {"content-type": "application/json"}
        )
        response = connection.getresponse()
        body = response.read()
        if response.status != 200:
            self.failures.append(f"{response.status} {body[:200]!r}")
        else:
            self.answers[response.headers["x-kfnb-version"]] += 1

    def connect(self) -> http.client.HTTPConnection:
        """A connection to the service."""
        return http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)

    def grow(self, by: int, seconds: float = 60.0) -> None:
        """Wait until there are so many answers more."""
        wanted, end = self.count + by, time.monotonic() + seconds
        while self.count < wanted:
            assert time.monotonic() < end, f"{self.count} answers, {self.failures[:3]}"
            time.sleep(0.01)


@contextmanager
def loaded(url: str, clients: int = 4, pause: float = 0.0) -> Iterator[Load]:
    """Requests of several clients during the block."""
    load, stop = Load(url), threading.Event()

    def run() -> None:
        connection = load.connect()
        while not stop.is_set():
            try:
                load.ask(connection)
            except (OSError, http.client.HTTPException) as error:
                load.failures.append(f"{type(error).__name__}: {error}")
                connection.close()
            time.sleep(pause)
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(clients)]
    for one in threads:
        one.start()
    try:
        yield load
    finally:
        stop.set()
        for one in threads:
            one.join()
