"""Whether more or less of a metric is better, by its name."""

from __future__ import annotations

import re

_LOWER = frozenset(
    re.findall(
        r"\w+",
        """loss error err mae mse rmse rmsle mape wape smape logloss mlogloss nll brier perplexity cost latency seconds
        deviance hinge wer cer fid ece fpr fnr""",
    )
)
"""Words of metrics of which less is better: ``val_loss``, ``test-rmse``, ``trainLoss``."""
_NEGATED = "neg"
"""The word by which scikit-learn says that more is better after all: ``neg_log_loss``."""
_WORD = re.compile(r"[A-Z]*[a-z0-9]+|[A-Z]+")


def maximized(metric: str) -> bool:
    """Whether more of a metric is better, by its name."""
    words = {word.lower() for word in _WORD.findall(metric)}
    return _NEGATED in words or not words & _LOWER
