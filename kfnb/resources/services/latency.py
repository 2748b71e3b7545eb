"""Percentiles of latencies that are known by a histogram alone."""

from __future__ import annotations

from collections.abc import Sequence


def percentile(latency: Sequence[tuple[float, int]], percent: float) -> float | None:
    """The latency in ms that ``percent`` of the answers did not exceed; between two bounds, by proportion.

    ``latency`` has the number of answers for each upper bound in ms. None without answers.
    """
    rank, seen, low = sum(count for _, count in latency) * percent / 100, 0, 0.0
    for bound, count in latency:
        if count and seen + count >= rank:
            high = bound if bound != float("inf") else low
            return low + (high - low) * (rank - seen) / count
        seen, low = seen + count, bound
    return None
