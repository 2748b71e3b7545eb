"""What ``kf`` has for training: the rank of a process, its share of the data, its progress."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kfnb.capture.embedded.rank_reports import kfnb_report_rank
from kfnb.capture.embedded.reports import kfnb_named, kfnb_number


def kfnb_rank(what: str = "RANK") -> int:
    """``kf.rank``, ``kf.local_rank`` (``LOCAL_RANK``) or ``kf.world_size`` (``WORLD_SIZE``): 0, 0, 1 if alone."""
    import os

    return int(os.environ.get(f"KFNB_{what}", "1" if what == "WORLD_SIZE" else "0"))


def kfnb_shard(data: Any) -> Any:
    """``kf.shard``: this rank's share of ``data``, every n-th item or row; shares differ by one at most.

    ``data`` is a DataFrame, a Series, an array, a sequence, a data set of Hugging Face or PyTorch, or an iterator, of
    which it is an iterator. Raises ``TypeError`` for what has no order, as a dict or a set.
    """
    import sys
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet
    from itertools import islice

    rank, size = kfnb_rank(), kfnb_rank("WORLD_SIZE")
    torch = sys.modules.get("torch")
    if hasattr(data, "iloc"):
        return data.iloc[rank::size]
    if hasattr(data, "shard") and hasattr(data, "select"):  # of Hugging Face
        return data.shard(num_shards=size, index=rank)
    if torch is not None and isinstance(data, torch.utils.data.Dataset) and hasattr(data, "__len__"):
        return torch.utils.data.Subset(data, range(rank, len(data), size))
    if isinstance(data, (Mapping, AbstractSet)) or not hasattr(data, "__iter__"):
        raise TypeError(
            f"kf.shard cannot divide a {type(data).__name__}: give a DataFrame, an array, a list or another sequence,"
            " a data set, or an iterator; of a dict, list(data.items())"
        )
    return islice(data, rank, None, size) if isinstance(data, Iterator) else data[rank::size]


def kfnb_progress(fraction: float) -> None:
    """``kf.progress``: how much of the training is done, from 0 to 1."""
    import os

    done = round(float(fraction), 9) + 0.0  # a sum of fractions is off by rounding, and there is a -0.0
    if not 0 <= done <= 1:
        raise ValueError(f"kf.progress({fraction!r}): give the part that is done, from 0 to 1")
    if "KFNB_RANK" in os.environ:
        kfnb_report_rank(progress=done)
    else:
        print(f"progress: {done:.0%}")


def kfnb_reported_metrics(log_metrics: Callable[..., None]) -> Callable[..., None]:
    """``kf.log_metrics`` of a training, which also reports to the launcher."""

    def log(given: Any = None, /, *, step: int | None = None, **values: Any) -> None:
        """Log numbers by name: the last one is the metric; with ``step`` they are a curve too, and are printed."""
        log_metrics(given, step=step, **values)
        named = kfnb_named(given, values).items()
        numbers = {name: float(value) if value - value == 0 else str(value) for name, value in named}
        at = {} if step is None else {"step": kfnb_number(step, "step")}
        kfnb_report_rank(metrics=numbers, **at)

    return log


KF_VALUES = {
    "rank": "kfnb_rank()",
    "local_rank": 'kfnb_rank("LOCAL_RANK")',
    "world_size": 'kfnb_rank("WORLD_SIZE")',
    "shard": "kfnb_shard",
    "progress": "kfnb_progress",
    "checkpoint": "kfnb_checkpoint",
    "resume": "kfnb_resume",
}
"""What ``kf`` has that writes to no artifact, and its value in a step: functions here and in ``checkpoints``."""
