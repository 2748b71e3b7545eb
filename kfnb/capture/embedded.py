"""Functions whose source travels with a step: how values are loaded and saved there, and what ``kf`` is there.

A compiled step needs Python and its packages, not kfnb; so each function here stands by itself, imports what it
needs inside, and is copied as text into the step (KFP's ``additional_funcs``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def kfnb_formats() -> dict[str, Any]:
    """The formats in which values are kept, the safest first: name -> (fits, write, read)."""
    import json
    import sys
    from types import SimpleNamespace

    def kind(value: Any) -> str:
        return f"{type(value).__module__.partition('.')[0]}.{type(value).__name__}"

    def same_frame(one: Any, two: Any) -> bool:
        same_axes = one.columns.equals(two.columns) and one.index.equals(two.index)
        same_names = one.index.names == two.index.names and one.columns.names == two.columns.names
        same_types = list(map(str, one.dtypes)) == list(map(str, two.dtypes))
        objects = [one[name] for name in one.columns if str(one[name].dtype) == "object"]
        simple = all(type(item) in (str, bool, type(None)) for column in objects for item in column)
        return same_axes and same_names and same_types and simple and bool(one.equals(two)) and not one.attrs

    def frame_fits(value: Any) -> bool:
        return kind(value) == "pandas.DataFrame" and value.columns.is_unique

    def write_frame(value: Any, path: str) -> bool:
        value.to_parquet(path, engine="pyarrow")
        return same_frame(value, read_frame(path))

    def read_frame(path: str) -> Any:
        import pandas

        return pandas.read_parquet(path, engine="pyarrow")

    def write_series(value: Any, path: str) -> bool:
        if value.name is not None and type(value.name) is not str:
            return False
        return write_frame(value.to_frame("" if value.name is None else value.name), path)

    def read_series(path: str) -> Any:
        series = read_frame(path).iloc[:, 0]
        return series.rename(series.name or None)

    def write_polars(value: Any, path: str) -> bool:
        value.write_parquet(path)
        return bool(read_polars(path).equals(value))

    def read_polars(path: str) -> Any:
        import polars

        return polars.read_parquet(path)

    def write_arrow(value: Any, path: str) -> bool:
        import pyarrow.parquet

        pyarrow.parquet.write_table(value, path)
        return bool(read_arrow(path).equals(value))

    def read_arrow(path: str) -> Any:
        import pyarrow.parquet

        return pyarrow.parquet.read_table(path)

    def write_array(value: Any, path: str) -> bool:
        import numpy

        with open(path, "wb") as file:
            numpy.save(file, value, allow_pickle=False)
        return True

    def read_array(path: str) -> Any:
        import numpy

        return numpy.load(path, allow_pickle=False)

    def estimator_fits(value: Any) -> bool:
        base = sys.modules.get("sklearn.base")
        return base is not None and isinstance(value, base.BaseEstimator)

    def write_estimator(value: Any, path: str) -> bool:
        import skops.io

        with open(path, "wb") as file:
            file.write(skops.io.dumps(value))
        # a file with types that skops does not vouch for is no safer than a pickle
        return not skops.io.get_untrusted_types(file=path)

    def read_estimator(path: str) -> Any:
        import skops.io

        return skops.io.load(path)

    def same_json(one: Any, two: Any) -> bool:
        if type(one) is not type(two):
            return False
        if type(one) is list:
            return len(one) == len(two) and all(map(same_json, one, two))
        if type(one) is dict:
            return list(one) == list(two) and all(same_json(one[key], two[key]) for key in one)
        return bool(one == two)

    def write_json(value: Any, path: str) -> bool:
        text = json.dumps(value, allow_nan=False)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return same_json(json.loads(text), value)

    def read_json(path: str) -> Any:
        with open(path, encoding="utf-8") as file:
            return json.load(file)

    def write_pickle(value: Any, path: str) -> bool:
        import cloudpickle

        class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
            def persistent_id(self, item: Any) -> Any:
                # a class of the notebook goes by name, so that it is the next step's own class, and by value
                # for a step that does not have it
                local = isinstance(item, type) and "<locals>" in item.__qualname__
                return (item.__name__, cloudpickle.dumps(item)) if local else None

        with open(path, "wb") as file:
            Pickler(file).dump(value)
        return True

    def read_pickle(path: str, classes: Mapping[str, type]) -> Any:
        import pickle

        class Unpickler(pickle.Unpickler):
            def persistent_load(self, known: Any) -> Any:
                name, by_value = known
                return classes[name] if name in classes else pickle.loads(by_value)

        with open(path, "rb") as file:
            return Unpickler(file).load()

    form = SimpleNamespace
    return {
        "parquet": form(fits=frame_fits, write=write_frame, read=read_frame),
        "series-parquet": form(
            fits=lambda v: kind(v) == "pandas.Series", write=write_series, read=read_series
        ),
        "polars-parquet": form(
            fits=lambda v: kind(v) == "polars.DataFrame", write=write_polars, read=read_polars
        ),
        "arrow-parquet": form(fits=lambda v: kind(v) == "pyarrow.Table", write=write_arrow, read=read_arrow),
        "npy": form(
            fits=lambda v: kind(v) == "numpy.ndarray" and not v.dtype.hasobject,
            write=write_array,
            read=read_array,
        ),
        "skops": form(fits=estimator_fits, write=write_estimator, read=read_estimator),
        "json": form(
            fits=lambda v: type(v) in (dict, list, str, int, type(None)), write=write_json, read=read_json
        ),
        "cloudpickle": form(fits=lambda v: True, write=write_pickle, read=read_pickle),
    }


def kfnb_save(value: Any, artifact: Any) -> None:
    """Write a value to an artifact, in the safest format that gives it back unchanged."""
    for name, form in kfnb_formats().items():
        if not form.fits(value):
            continue
        try:
            kept = form.write(value, artifact.path)
        except Exception:
            if name == "cloudpickle":
                raise
            kept = False  # the format cannot hold it, or its library is not here: the next one
        if kept:
            artifact.metadata["format"] = name
            artifact.metadata["python_type"] = f"{type(value).__module__}.{type(value).__name__}"
            if hasattr(value, "shape"):
                artifact.metadata["shape"] = " x ".join(map(str, value.shape))
            return


def kfnb_load(artifact: Any, classes: Mapping[str, type] = {}) -> Any:  # noqa: B006 - never changed
    """Read the value of an artifact; ``classes`` are the notebook's that this step has, by name."""
    import os

    if artifact is None:
        return None
    form = artifact.metadata.get("format", "")
    if not form:  # a file from elsewhere: its name says what it is
        ending = os.path.splitext(artifact.uri)[1].lower()
        form = {".parquet": "parquet", ".npy": "npy", ".json": "json", ".skops": "skops", ".csv": "csv"}.get(
            ending, ""
        )
    if form == "csv":
        import pandas

        return pandas.read_csv(artifact.path)
    formats = kfnb_formats()
    if form not in formats:
        raise ValueError(f"{artifact.uri} has no format that is known here; give a .parquet, .csv, .npy or .json file")
    if form == "cloudpickle":
        return formats[form].read(artifact.path, classes)
    return formats[form].read(artifact.path)


def kfnb_value(value: Any, kind: type, name: str) -> Any:
    """An output that is a parameter, as the type that it had when the cell ran in the notebook."""
    value = value.item() if type(value).__module__ == "numpy" and hasattr(value, "item") else value
    value = list(value) if kind is list and isinstance(value, list) else value
    if type(value) is not kind and not (kind is float and type(value) is int):
        raise TypeError(f"{name} was {kind.__name__} when its cell ran in the notebook, and is {value!r} here")
    if type(value) is float and value - value != 0.0:
        raise ValueError(f"{name} is {value} here: a KFP parameter is a finite number")
    return value


def kfnb_modules(files: dict[str, str]) -> None:
    """Make modules that lay beside the notebook importable here; ``files`` maps their paths to their source."""
    import os
    import sys
    import tempfile

    folder = tempfile.mkdtemp(prefix="kfnb-modules-")
    for name, source in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(source)
    sys.path.insert(0, folder)


def kfnb_kf(metrics: Any = None, classification: Any = None, html: Any = None, markdown: Any = None) -> Any:
    """What a step calls ``kf``: it writes what is logged into the step's artifacts."""
    from types import SimpleNamespace

    def number(value: Any) -> Any:
        value = value.item() if hasattr(value, "item") else value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError(f"a metric is a number, not {value!r}")
        return value

    def log_metrics(*, step: int | None = None, **values: Any) -> None:
        """Log numbers by name; with ``step``, the last one logged is kept and all are printed."""
        logged = {name: number(value) for name, value in values.items()}
        metrics.metadata.update(logged)
        if step is not None:
            print(f"step {step}:", " ".join(f"{name}={value}" for name, value in logged.items()))

    def log_roc(fpr: Sequence[float], tpr: Sequence[float], thresholds: Sequence[float]) -> None:
        """Log a ROC curve, as scikit-learn's ``roc_curve`` returns it; at most 200 points are kept."""
        points = [
            # scikit-learn's first threshold is infinite, which JSON does not have
            {"confidenceThreshold": min(float(t), 1e9), "recall": float(r), "falsePositiveRate": float(f)}
            for f, r, t in zip(fpr, tpr, thresholds)
        ]
        every = max(1, -(-len(points) // 199))
        kept = points[::every]
        classification.metadata["confidenceMetrics"] = kept if kept[-1:] == points[-1:] else [*kept, points[-1]]

    def log_confusion_matrix(labels: Sequence[Any], matrix: Sequence[Sequence[int]]) -> None:
        """Log a confusion matrix: a row for each true label, a column for each predicted one."""
        rows = [[number(cell) for cell in row] for row in matrix]
        if len(rows) != len(labels) or any(len(row) != len(labels) for row in rows):
            raise ValueError(f"{len(labels)} labels need a matrix of {len(labels)} x {len(labels)}")
        classification.metadata["confusionMatrix"] = {
            "annotationSpecs": [{"displayName": str(label)} for label in labels],
            "rows": [{"row": row} for row in rows],
        }

    def append(artifact: Any, text: str) -> None:
        with open(artifact.path, "a", encoding="utf-8") as file:
            file.write(text + "\n")

    def log_html(text: str) -> None:
        """Show a piece of HTML with the run (in a frame of its own, without scripts)."""
        append(html, text)

    def log_markdown(text: str) -> None:
        """Show a piece of Markdown with the run."""
        append(markdown, text)

    return SimpleNamespace(
        log_metrics=log_metrics,
        log_roc=log_roc,
        log_confusion_matrix=log_confusion_matrix,
        html=log_html,
        markdown=log_markdown,
    )


KF_OUTPUTS = {
    "log_metrics": ("metrics", "Metrics"),
    "log_roc": ("classification", "ClassificationMetrics"),
    "log_confusion_matrix": ("classification", "ClassificationMetrics"),
    "html": ("html", "HTML"),
    "markdown": ("markdown", "Markdown"),
}
"""What of ``kf`` a step uses -> the artifact it goes to (the output is called ``kf_<that>``), and its KFP type."""
