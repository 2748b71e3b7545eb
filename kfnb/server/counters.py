"""What a server counts: requests, errors, times, bad inputs. No value of a row is kept."""

from __future__ import annotations

import bisect
import time
from collections import Counter, deque
from collections.abc import Mapping
from typing import Any

from kfnb.server.columns import InputProblem

BOUNDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Upper bounds of the histogram's buckets, in seconds; a further bucket has what took longer.

They never change, so that the counts of several servers can be added.
"""

METRICS = "text/plain; version=0.0.4; charset=utf-8"
"""The content type of Prometheus' text format."""

_FAILURES = 20


class Statistics:
    """Counters since the server began."""

    def __init__(self) -> None:
        self.since = time.time()
        """Seconds since 1970."""
        self.requests: Counter[tuple[str, int]] = Counter()
        """By what was asked (predict, explain, other) and status."""
        self.errors: Counter[str] = Counter()
        """By the code of the error."""
        self.rows = 0
        """Rows that were predicted."""
        self.bad_inputs: Counter[tuple[str, str]] = Counter()
        """By kind and column."""
        self.latency: dict[str, list[int]] = {}
        """Requests by what was asked, in the buckets."""
        self.seconds: dict[str, float] = {}
        """Seconds that requests took, by what was asked."""
        self.failures: deque[dict[str, Any]] = deque(maxlen=_FAILURES)
        """The last requests that failed."""

    def count(self, verb: str, status: int, seconds: float) -> None:
        """Count a request."""
        self.requests[verb, status] += 1
        self.latency.setdefault(verb, [0] * (len(BOUNDS) + 1))[bisect.bisect_left(BOUNDS, seconds)] += 1
        self.seconds[verb] = self.seconds.get(verb, 0.0) + seconds

    def count_failure(self, request_id: str, status: int, code: str, message: str) -> None:
        """Count an error; ``message`` has no value of a row."""
        self.errors[code] += 1
        failure = {"at": time.time(), "id": request_id, "status": status, "code": code, "message": message}
        self.failures.append(failure)

    def count_bad(self, counts: Mapping[tuple[InputProblem, str], int]) -> None:
        """Count bad inputs."""
        for (problem, column), times in counts.items():
            self.bad_inputs[problem.value, column] += times

    def as_json(self) -> dict[str, Any]:
        """All of it."""
        requests: dict[str, dict[str, int]] = {}
        for (verb, status), times in sorted(self.requests.items()):
            requests.setdefault(verb, {})[str(status)] = times
        bad_inputs: dict[str, dict[str, int]] = {}
        for (kind, column), times in sorted(self.bad_inputs.items()):
            bad_inputs.setdefault(kind, {})[column] = times
        return {
            "since": self.since,
            "requests": requests,
            "errors": dict(sorted(self.errors.items())),
            "rows": self.rows,
            "latency": {
                "bounds": list(BOUNDS),
                "counts": self.latency,
                "seconds": {verb: round(total, 6) for verb, total in self.seconds.items()},
            },
            "bad_inputs": bad_inputs,
            "failures": list(self.failures),
        }


def exposition(statistics: Statistics, labels: Mapping[str, str]) -> str:
    """The counters in Prometheus' text format; ``labels`` are those of the model."""
    lines = [
        "# HELP kfnb_model_info The model that is served.",
        "# TYPE kfnb_model_info gauge",
        _line("kfnb_model_info", labels, 1),
        "# HELP kfnb_requests_total Requests, by what was asked and status.",
        "# TYPE kfnb_requests_total counter",
        *(
            _line("kfnb_requests_total", {"verb": verb, "status": str(status)}, times)
            for (verb, status), times in sorted(statistics.requests.items())
        ),
        "# HELP kfnb_errors_total Errors, by their code.",
        "# TYPE kfnb_errors_total counter",
        *(
            _line("kfnb_errors_total", {"code": code}, times)
            for code, times in sorted(statistics.errors.items())
        ),
        "# HELP kfnb_rows_total Rows that were predicted.",
        "# TYPE kfnb_rows_total counter",
        _line("kfnb_rows_total", {}, statistics.rows),
        "# HELP kfnb_bad_inputs_total Bad inputs, by kind and column.",
        "# TYPE kfnb_bad_inputs_total counter",
        *(
            _line("kfnb_bad_inputs_total", {"kind": kind, "column": column}, times)
            for (kind, column), times in sorted(statistics.bad_inputs.items())
        ),
        "# HELP kfnb_request_seconds Seconds that requests took.",
        "# TYPE kfnb_request_seconds histogram",
    ]
    for verb, counts in sorted(statistics.latency.items()):
        total = 0
        for bound, times in zip((*map(str, BOUNDS), "+Inf"), counts, strict=True):
            total += times
            lines.append(_line("kfnb_request_seconds_bucket", {"verb": verb, "le": bound}, total))
        lines.append(_line("kfnb_request_seconds_sum", {"verb": verb}, statistics.seconds[verb]))
        lines.append(_line("kfnb_request_seconds_count", {"verb": verb}, total))
    return "\n".join([*lines, ""])


def _line(name: str, labels: Mapping[str, str], value: float) -> str:
    shown = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    return f"{name}{{{shown}}} {value}" if shown else f"{name} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
