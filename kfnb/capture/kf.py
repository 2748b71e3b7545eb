"""``kf`` in the notebook: what a component's cell reports is shown below the cell.

It is there as soon as the extension is loaded, so code that few cells need is imported by the methods that use it.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape
from pathlib import Path
from pkgutil import resolve_name
from types import SimpleNamespace
from typing import Any

from kfnb.capture.embedded.reports import (
    kfnb_curves,
    kfnb_log_confusion_matrix,
    kfnb_log_metrics,
    kfnb_log_roc,
    kfnb_report,
)
from kfnb.capture.embedded.training import kfnb_progress, kfnb_shard
from kfnb.errors import KfnbError, NotFound, UsageError


class Kf:
    """Reports the results of a component: in a run, as artifacts; in the notebook, below the cell.

    ``rank``, ``local_rank`` and ``world_size`` are those of a process of a training; here there is one process.
    """

    rank = 0
    local_rank = 0
    world_size = 1

    def __init__(self) -> None:
        self._saved: set[str] = set()
        """The models that this cell has saved, as its step would."""

    def begin_cell(self) -> None:
        """Forget what the last cell has saved: each cell is its own step."""
        self._saved.clear()

    def shard(self, data: Any) -> Any:
        """This process's share of a DataFrame, an array, a sequence or a data set: here, all of it."""
        return kfnb_shard(data)

    def progress(self, fraction: float) -> None:
        """Report how much of a training is done, from 0 to 1."""
        kfnb_progress(fraction)

    @contextmanager
    def checkpoint(self, step: int) -> Iterator[Path]:
        """``with kf.checkpoint(step) as folder``: save into it. In a run it outlives restarts; here it is removed."""
        with tempfile.TemporaryDirectory(prefix=f"kfnb-checkpoint-{int(step)}-") as folder:
            yield Path(folder)

    def resume(self) -> Path | None:
        """The folder of the newest checkpoint of a training that was started again; here, None."""
        return None

    def log_metrics(self, given: Any = None, /, *, step: int | None = None, **values: Any) -> None:
        """Log numbers by name: ``kf.log_metrics(accuracy=0.9)``, or ``kf.log_metrics({"accuracy": 0.9})``."""
        metrics = _artifact()
        kfnb_log_metrics(metrics, kfnb_curves(metrics))(given, step=step, **values)
        if step is None:
            print("  ".join(f"{name} = {float(value):.6g}" for name, value in metrics.metadata.items()))

    def report(self, value: Any = None, *, step: int | None = None, **values: Any) -> None:
        """Report progress of training: ``kf.report(loss, step=epoch)``. In a study, this may end the trial."""
        metrics = _artifact()
        kfnb_report(kfnb_log_metrics(metrics, kfnb_curves(metrics)))(value, step=step, **values)

    def log_roc(self, fpr: Sequence[float], tpr: Sequence[float], thresholds: Sequence[float]) -> None:
        """Log a ROC curve, as scikit-learn's ``roc_curve`` returns it."""
        found = _artifact()
        kfnb_log_roc(found)(fpr, tpr, thresholds)
        print(f"ROC curve of {len(found.metadata['confidenceMetrics'])} points")

    def log_confusion_matrix(self, labels: Sequence[Any], matrix: Sequence[Sequence[int]]) -> None:
        """Log a confusion matrix: a row for each true label, a column for each predicted one."""
        found = _artifact()
        kfnb_log_confusion_matrix(found)(labels, matrix)
        print(f"confusion matrix of {', '.join(str(label) for label in labels)}")

    def html(self, text: str) -> None:
        """Show HTML in a separate frame without scripts."""
        frame = (
            f'<iframe sandbox="" srcdoc="{escape(text)}" style="width:100%;height:20em;border:0"></iframe>'
        )
        _display({"text/html": frame, "text/plain": "a report in HTML"})

    def markdown(self, text: str) -> None:
        """Show Markdown, with the pictures that it names by a path."""
        from kfnb.capture.embedded.figures import kfnb_with_pictures

        _display({"text/markdown": kfnb_with_pictures(text), "text/plain": text})

    def figure(self, fig: Any, title: str = "") -> None:
        """Show a figure of matplotlib, Plotly or Altair, or whatever a notebook shows as a picture or HTML."""
        from kfnb.capture.embedded.figures import kfnb_figure_html

        page = kfnb_figure_html(fig, title)  # a figure that a run cannot show is an error here, too
        if "<script" in page:
            from IPython.display import display

            display(fig)  # live, as the notebook shows it
        elif not _comes_by_itself(fig):
            _display({"text/html": page, "text/plain": title or "a figure"})

    def image(self, picture: Any, title: str = "", width: int | None = None) -> None:
        """Show a picture: a file's path, its bytes, an image of Pillow, or an array of pixels."""
        from kfnb.capture.embedded.figures import kfnb_captioned, kfnb_img, kfnb_pixels

        page = kfnb_captioned(kfnb_img(kfnb_pixels(picture), title, width), title)
        _display({"text/html": page, "text/plain": title or "a picture"})

    def table(self, rows: Any, title: str = "", most: int = 100) -> None:
        """Show the first ``most`` rows of a DataFrame, a list of dicts or of lists, or a dict of columns."""
        from kfnb.capture.embedded.figures import kfnb_table_html

        _display({"text/html": kfnb_table_html(rows, title, most), "text/plain": title or "a table"})

    def check(self, frame: Any, schema: Any) -> None:
        """Check a table against the schema in a file, ``kf.check(df, "churn.schema.yaml")``, or one of pandera.

        All checks are made, and shown. Raises ``UsageError`` if one of level ``fail`` fails.
        """
        from kfnb.capture.embedded import check_reports as reports

        try:
            lines, name = reports.kfnb_check_lines(frame, schema)
        except (TypeError, ValueError) as error:
            raise UsageError(f"kf.check: {error}") from None
        html, words = reports.kfnb_check_html(lines, name), reports.kfnb_check_words(lines, name)
        _display({"text/html": html, "text/plain": words})
        if failed := reports.kfnb_check_failure(lines, name):
            raise UsageError(failed)

    def save(self, model: Any, name: str | None = None, **options: Any) -> None:
        """Save a model: ``kf.save(model, "churn", accuracy=0.9)``. A run registers it when it has succeeded.

        Here it is saved on trial only. Options are ``transform``, ``example``, ``data``, ``description``,
        ``pickle``, ``trust``.
        """
        from kfnb.capture.embedded.saving import kfnb_model_saver
        from kfnb.capture.embedded.transform_files import kfnb_keep_transform

        before = [{"folder": one} for one in sorted(self._saved)]
        with tempfile.TemporaryDirectory(prefix="kfnb-model-") as folder:
            found = SimpleNamespace(metadata={"kfnb_models": before}, path=folder)
            try:
                kfnb_model_saver(found, kfnb_keep_transform)(model, name, **options)
            except (TypeError, ValueError) as error:
                raise UsageError(f"kf.save: {error}") from None
        saved = found.metadata["kfnb_models"][-1]
        _check_data(saved["data"])
        self._saved.add(saved["folder"])
        numbers = "".join(f"  {key} = {value:.6g}" for key, value in saved["metrics"].items())
        print(f"{name or 'the model'} can be saved{'; a run registers it' if name else ''}{numbers}")


def _check_data(ref: str) -> None:
    """Raise ``NotFound`` if a version of a data set does not exist. Where that is not known, the run says so."""
    if not ref:
        return
    try:
        # by name: data sets are above this layer
        resolve_name("kfnb:dataset")(ref)
    except NotFound:
        raise
    except KfnbError as error:
        print(f"cannot check that {ref} exists: {error}")


def _comes_by_itself(fig: Any) -> bool:
    """Whether the notebook shows a figure at the end of the cell, as it does with pyplot's."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None or "inline" not in pyplot.get_backend():
        return False
    own = getattr(fig, "figure", fig)
    return getattr(own, "number", None) in pyplot.get_fignums()


def _display(bundle: dict[str, str]) -> None:
    from IPython.display import display

    display(bundle, raw=True)


def _artifact() -> Any:
    return SimpleNamespace(metadata={}, path=os.path.join(tempfile.gettempdir(), "kfnb-not-written"))
