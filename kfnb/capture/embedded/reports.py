"""``kf`` in a step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


def kfnb_kf(**uses: Callable[..., Any]) -> Any:
    """The object ``kf`` of a step: the functions that it uses, by name."""
    from types import SimpleNamespace

    return SimpleNamespace(**uses)


def kfnb_number(value: Any, name: str) -> Any:
    """Convert a number to log to a Python number; ``name`` is what the error calls it."""
    from contextlib import suppress

    with suppress(Exception):  # a plain number has no item(), and an array of several not one
        value = value.item()
    if type(value) not in (int, float):
        raise TypeError(f"{name} must be a number, not {value!r}")
    return value


def kfnb_named(given: Any, values: dict[str, Any]) -> dict[str, Any]:
    """The numbers to log: those of a dict, and those given by name, as Python numbers."""
    if given is not None and not hasattr(given, "items"):
        raise TypeError(
            f"metrics are given by name, log_metrics(accuracy=0.9), or as a dict, not as {given!r}"
        )
    return {str(name): kfnb_number(value, name) for name, value in {**dict(given or {}), **values}.items()}


def kfnb_log_metrics(metrics: Any, by_step: Callable[..., None] | None = None) -> Callable[..., None]:
    """``kf.log_metrics``, which writes to the artifact ``metrics``; ``by_step`` takes the values that have a step."""

    def log_metrics(given: Any = None, /, *, step: int | None = None, **values: Any) -> None:
        """Log numbers by name: the last one is the metric; with ``step`` they are a curve too, and are printed."""
        logged = kfnb_named(given, values)
        at = step if step is None else kfnb_number(step, "step")
        for name, value in logged.items():
            # KFP's numbers are finite floats: any other would fail the step
            metrics.metadata[name] = float(value) if value - value == 0 else str(value)
        if logged and by_step and at is not None:
            by_step(at, logged)

    return log_metrics


def kfnb_curves(metrics: Any) -> Callable[..., None]:
    """Print values that are logged with a step, and add them to a curve in the artifact ``metrics``."""
    most = 1000
    seen: dict[str, tuple[int, int]] = {}

    def add(points: list[Any], name: str, point: list[Any]) -> None:
        """Add a point to a metric's curve; the last and every n-th point are kept."""
        count, every = seen.get(name, (0, 1))
        if count and (count - 1) % every:
            points.pop()
        if len(points) == most:
            del points[1::2]
            every *= 2
        points.append(point)
        seen[name] = count + 1, every

    def by_step(step: Any, logged: dict[str, Any]) -> None:
        print(f"step {step}:", " ".join(f"{name}={value}" for name, value in logged.items()))
        curves = metrics.metadata.setdefault("kfnb_curves", {})
        for name, value in logged.items():
            add(curves.setdefault(name, []), name, [step, value if value - value == 0 else str(value)])

    return by_step


def kfnb_report(log_metrics: Callable[..., None]) -> Callable[..., None]:
    """``kf.report``, which logs through ``log_metrics``."""
    import os

    reports = [0]

    def report(value: Any = None, *, step: int | None = None, **values: Any) -> None:
        """Report progress of training: ``kf.report(loss, step=epoch)`` or ``kf.report(accuracy=0.9, step=epoch)``.

        In a trial of a study, a value without a name is the objective's, and the report may end the trial.
        """
        if hasattr(value, "items"):
            values = {**value, **values}
        elif value is not None:
            # the engine that runs a step as a trial sets the name of the objective
            values = {os.environ.get("KFNB_OBJECTIVE", "value"): value, **values}
        if step is None:
            step = reports[0]
        reports[0] = int(step) + 1
        log_metrics(step=step, **values)

    return report


def kfnb_log_roc(classification: Any) -> Callable[..., None]:
    """``kf.log_roc``, which writes into the artifact ``classification``."""

    def log_roc(fpr: Sequence[float], tpr: Sequence[float], thresholds: Sequence[float]) -> None:
        """Log a ROC curve, as scikit-learn's ``roc_curve`` returns it; at most 200 points are kept."""
        points = [
            # scikit-learn's first threshold is infinite, which JSON does not have
            {"confidenceThreshold": min(float(t), 1e9), "recall": float(r), "falsePositiveRate": float(f)}
            for f, r, t in zip(fpr, tpr, thresholds)  # noqa: B905 - also where Python is 3.9
        ]
        every = max(1, -(-len(points) // 199))
        kept = points[::every]
        classification.metadata["confidenceMetrics"] = (
            kept if kept[-1:] == points[-1:] else [*kept, points[-1]]
        )

    return log_roc


def kfnb_log_confusion_matrix(classification: Any) -> Callable[..., None]:
    """``kf.log_confusion_matrix``, which writes into the artifact ``classification``."""

    def log_confusion_matrix(labels: Sequence[Any], matrix: Sequence[Sequence[int]]) -> None:
        """Log a confusion matrix: a row for each true label, a column for each predicted one."""
        rows = [[kfnb_number(cell, "a cell of the matrix") for cell in row] for row in matrix]
        if len(rows) != len(labels) or any(len(row) != len(labels) for row in rows):
            raise ValueError(f"{len(labels)} labels need a matrix of {len(labels)} x {len(labels)}")
        classification.metadata["confusionMatrix"] = {
            "annotationSpecs": [{"displayName": str(label)} for label in labels],
            "rows": [{"row": row} for row in rows],
        }

    return log_confusion_matrix


def kfnb_text(artifact: Any) -> Callable[[str], None]:
    """``kf.html``, which adds to the file ``artifact``; it is shown in a separate frame without scripts."""

    def append(text: str) -> None:
        with open(artifact.path, "a", encoding="utf-8") as file:
            file.write(text + "\n")

    return append


KF_OUTPUTS = {
    "log_metrics": ("metrics", "Metrics"),
    "report": ("metrics", "Metrics"),
    "log_roc": ("classification", "ClassificationMetrics"),
    "log_confusion_matrix": ("classification", "ClassificationMetrics"),
    "html": ("html", "HTML"),
    "figure": ("html", "HTML"),
    "image": ("html", "HTML"),
    "table": ("html", "HTML"),
    "check": ("html", "HTML"),
    "markdown": ("markdown", "Markdown"),
    "save": ("model", "Model"),
}
"""The function of ``kf`` -> the artifact that it writes to (the output ``kf_<artifact>``), and its KFP type."""


KF_MAKERS = {
    "log_metrics": "kfnb_log_metrics",
    "report": "kfnb_report",
    "log_roc": "kfnb_log_roc",
    "log_confusion_matrix": "kfnb_log_confusion_matrix",
    "html": "kfnb_text",
    "figure": "kfnb_figure",
    "image": "kfnb_image",
    "table": "kfnb_table",
    "check": "kfnb_check",
    "markdown": "kfnb_markdown",
    "save": "kfnb_model_saver",
}
"""The function of ``kf`` -> the embedded function that creates it, here or in another module."""
