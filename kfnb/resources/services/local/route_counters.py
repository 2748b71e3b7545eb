"""What the router counts of each revision's requests. All of it adds up, and none of it grows with them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from typing import Any

BOUNDS = (1.0, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 50.0, 75.0, 100.0, 200.0, 500.0, 1000.0, 5000.0)
"""Upper bounds of the latencies that are counted together, in milliseconds; there is one more for what took longer."""

_FIRST_ERROR = 400


class RouteCounters:
    """The counters of one revision. ``under_way`` are requests that it has not answered yet."""

    def __init__(self) -> None:
        self.under_way = 0
        self.requests = self.compared = self.differing = self.skipped = 0
        self.errors: dict[str, int] = {}
        self.latency = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0

    def answered(self, status: int, seconds: float) -> None:
        """Count an answer."""
        self.requests += 1
        self.seconds += seconds
        self.latency[bisect_left(BOUNDS, seconds * 1000)] += 1
        if status >= _FIRST_ERROR:
            self.errors[str(status)] = self.errors.get(str(status), 0) + 1

    def as_json(self) -> dict[str, Any]:
        """The counters as JSON; without ``under_way``, which does not add up."""
        return {
            "requests": self.requests,
            "errors": dict(self.errors),
            "latency": list(self.latency),
            "compared": self.compared,
            "differing": self.differing,
            "skipped": self.skipped,
        }


def prometheus(service: str, counters: Mapping[str, RouteCounters]) -> str:
    """Counters by version, as Prometheus reads them."""
    lines = [
        "# HELP kfnb_requests_total Requests by version and status.",
        "# TYPE kfnb_requests_total counter",
    ]
    for ref, one in counters.items():
        where = f'service="{service}",version="{ref}"'
        fine = one.requests - sum(one.errors.values())
        for code, count in {"2xx": fine, **one.errors}.items():
            lines.append(f'kfnb_requests_total{{{where},code="{code}"}} {count}')
    lines += [
        "# HELP kfnb_request_seconds Time from a request to its answer, by version.",
        "# TYPE kfnb_request_seconds histogram",
    ]
    for ref, one in counters.items():
        lines += _histogram(f'service="{service}",version="{ref}"', one)
    return "\n".join([*lines, ""])


def _histogram(where: str, one: RouteCounters) -> list[str]:
    lines, total = [], 0
    for bound, count in zip([f"{bound / 1000:g}" for bound in BOUNDS] + ["+Inf"], one.latency, strict=True):
        total += count
        lines.append(f'kfnb_request_seconds_bucket{{{where},le="{bound}"}} {total}')
    lines.append(f"kfnb_request_seconds_sum{{{where}}} {one.seconds:.6f}")
    lines.append(f"kfnb_request_seconds_count{{{where}}} {total}")
    return lines
