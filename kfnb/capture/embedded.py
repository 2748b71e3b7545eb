"""Functions whose source travels with a step: how values are loaded and saved there, and what ``kf`` is there.

A compiled step needs Python and its packages, not kfnb; so each function here stands by itself, imports what it
needs inside, and is copied as text into the step (KFP's ``additional_funcs``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def kfnb_tables() -> dict[str, Any]:
    """The formats of tables and arrays: name -> (fits, write, read)."""
    from types import SimpleNamespace

    def kind(value: Any) -> str:
        return f"{type(value).__module__.partition('.')[0]}.{type(value).__name__}"

    def same_frame(one: Any, two: Any) -> bool:
        def like(axis: Any) -> Any:
            return type(axis), list(axis.names), getattr(axis, "freq", None)

        def simple(frame: Any) -> bool:
            objects = [name for name in frame.columns if str(frame[name].dtype) == "object"]
            return all(type(item) in (str, bool, type(None)) for name in objects for item in frame[name])

        same_axes = one.columns.equals(two.columns) and one.index.equals(two.index)
        same_kinds = like(one.index) == like(two.index) and like(one.columns) == like(two.columns)
        same_types = list(one.dtypes) == list(two.dtypes) and simple(one) and simple(two)
        return same_axes and same_kinds and same_types and bool(one.equals(two)) and not one.attrs

    def write_frame(value: Any, path: str) -> bool:
        value.to_parquet(path, engine="pyarrow")
        return same_frame(value, read_frame(path))

    def read_frame(path: str) -> Any:
        import pandas as pd

        return pd.read_parquet(path, engine="pyarrow")

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
        import polars as pl

        return pl.read_parquet(path)

    def write_arrow(value: Any, path: str) -> bool:
        import pyarrow.parquet

        pyarrow.parquet.write_table(value, path)
        return bool(read_arrow(path).equals(value))

    def read_arrow(path: str) -> Any:
        import pyarrow.parquet

        return pyarrow.parquet.read_table(path)

    def write_array(value: Any, path: str) -> bool:
        import numpy as np

        with open(path, "wb") as file:
            np.save(file, value, allow_pickle=False)
        return True

    def read_array(path: str) -> Any:
        import numpy as np

        return np.load(path, allow_pickle=False)

    def form(name: str, write: Any, read: Any) -> Any:
        return SimpleNamespace(fits=lambda value: kind(value) == name, write=write, read=read)

    return {
        "parquet": form("pandas.DataFrame", write_frame, read_frame),
        "series-parquet": form("pandas.Series", write_series, read_series),
        "polars-parquet": form("polars.DataFrame", write_polars, read_polars),
        "arrow-parquet": form("pyarrow.Table", write_arrow, read_arrow),
        "npy": form("numpy.ndarray", write_array, read_array),
    }


def kfnb_pickles(classes: Mapping[str, type]) -> Any:
    """Pickles in which the notebook's classes go by name, and by value for a step that does not have them.

    So that an instance is, in the next step, one of that step's own class. ``classes`` are those of this step.
    """
    import io
    import pickle
    import sys
    from types import SimpleNamespace

    loaded: dict[str, Any] = dict(classes)
    by_class = {known: name for name, known in classes.items()}
    done: dict[type, bytes] = {}

    def dumps(value: Any, busy: tuple[type, ...] = ()) -> bytes:
        import cloudpickle

        # what this very file defines is in no other step: it goes by value
        cloudpickle.register_pickle_by_value(sys.modules[__name__])

        class Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle has no types
            def persistent_id(self, item: Any) -> Any:
                if not isinstance(item, type) or item in busy:
                    return None
                name = by_class.get(item) or vars(item).get("__kfnb_name__")
                if name is None:
                    return None
                if item not in done:
                    done[item] = dumps(item, (*busy, item))
                return name, done[item]

        file = io.BytesIO()
        Pickler(file).dump(value)
        return file.getvalue()

    def loads(data: bytes) -> Any:
        class Unpickler(pickle.Unpickler):
            def persistent_load(self, known: Any) -> Any:
                name, by_value = known
                if name not in loaded:
                    loaded[name] = loads(by_value)
                    loaded[name].__kfnb_name__ = name
                return loaded[name]

        return Unpickler(io.BytesIO(data)).load()

    def write(value: Any, path: str) -> bool:
        with open(path, "wb") as file:
            file.write(dumps(value))
        return True

    def read(path: str) -> Any:
        with open(path, "rb") as file:
            return loads(file.read())

    return SimpleNamespace(fits=lambda _: True, write=write, read=read)


def kfnb_formats(classes: Mapping[str, type]) -> dict[str, Any]:
    """The formats in which values are kept, the safest first: name -> (fits, write, read)."""
    import json
    import sys
    from types import SimpleNamespace

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

    def json_fits(value: Any) -> bool:
        return type(value) in (dict, list, str, int, type(None))

    def same_json(one: Any, two: Any) -> bool:
        if type(one) is not type(two):
            return False
        if type(one) is list:
            return len(one) == len(two) and all(map(same_json, one, two))
        if type(one) is dict:
            return list(one) == list(two) and all(same_json(one[key], two[key]) for key in one)
        return bool(one == two)

    def containers(value: Any) -> list[int]:
        """The ids of all lists and dicts in a value: one that is there twice is one object, which JSON forgets."""
        if type(value) not in (list, dict):
            return []
        parts = value.values() if type(value) is dict else value
        return [id(value), *(one for part in parts for one in containers(part))]

    def write_json(value: Any, path: str) -> bool:
        text = json.dumps(value, allow_nan=False)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return same_json(value, json.loads(text)) and len(set(containers(value))) == len(containers(value))

    def read_json(path: str) -> Any:
        with open(path, encoding="utf-8") as file:
            return json.load(file)

    return {
        **kfnb_tables(),
        "skops": SimpleNamespace(fits=estimator_fits, write=write_estimator, read=read_estimator),
        "json": SimpleNamespace(fits=json_fits, write=write_json, read=read_json),
        "cloudpickle": kfnb_pickles(classes),
    }


def kfnb_save(value: Any, artifact: Any, classes: Mapping[str, type]) -> None:
    """Write a value to an artifact, in the safest format that gives it back unchanged."""
    for name, form in kfnb_formats(classes).items():
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


def kfnb_load(artifact: Any, classes: Mapping[str, type]) -> Any:
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
        import pandas as pd

        return pd.read_csv(artifact.path)
    formats = kfnb_formats(classes)
    if form not in formats:
        raise ValueError(
            f"{artifact.uri} has no format that is known here; give a .parquet, .csv, .npy or .json file"
        )
    return formats[form].read(artifact.path)


def kfnb_value(value: Any, kind: type, name: str) -> Any:
    """An output that is a parameter, as the type that it had when the cell ran in the notebook."""
    import json

    def kept(value: Any) -> bool:
        if type(value) is list:
            return all(map(kept, value))
        if type(value) is dict:
            return all(type(key) is str and kept(item) for key, item in value.items())
        if type(value) is int:
            return abs(value) <= 2**53
        return type(value) in (str, bool, type(None)) or (type(value) is float and value - value == 0.0)

    value = value.item() if type(value).__module__ == "numpy" and hasattr(value, "item") else value
    value = list(value) if kind is list and isinstance(value, list) else value
    value = float(value) if kind is float and type(value) is int else value
    if type(value) is not kind:
        raise TypeError(
            f"{name} was {kind.__name__} when its cell ran in the notebook, and is {value!r} here"
        )
    if not kept(value):
        raise ValueError(
            f"{name} is {str(value)[:200]} here: a KFP parameter holds what JSON does, and finite numbers"
        )
    if len(json.dumps(value)) > 10**6:
        raise ValueError(f"{name} is too long for a KFP parameter here: make it an array, a table or a file")
    return value


def kfnb_floats(value: Any, *, where: Any = True) -> Any:
    """A list or dict with floats where KFP may have written integers.

    ``where`` they are: True is everywhere; a dict tells it by keys or places, ``"*"`` standing for all of them.
    """
    if not where:
        return value

    def inside(key: Any) -> Any:
        return where if where is True else where.get("*", where.get(key))

    if isinstance(value, list):
        return [kfnb_floats(item, where=inside(place)) for place, item in enumerate(value)]
    if isinstance(value, dict):
        return {key: kfnb_floats(item, where=inside(key)) for key, item in value.items()}
    return float(value) if where is True and type(value) is int else value


def kfnb_modules(files: dict[str, str]) -> None:
    """Make modules that lay beside the notebook importable here; ``files`` maps their paths to their source."""
    import os
    import sys
    import tempfile

    roots = {name.split("/")[0].removesuffix(".py") for name in files}
    for name in [name for name in sys.modules if name.split(".")[0] in roots]:
        del sys.modules[name]  # an installed module of the same name
    folder = tempfile.mkdtemp(prefix="kfnb-modules-")
    for name, source in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(source)
    sys.path.insert(0, folder)


def kfnb_kf(  # noqa: PLR0915 - it travels as one function
    metrics: Any = None, classification: Any = None, html: Any = None, markdown: Any = None
) -> Any:
    """What a step calls ``kf``: it writes what is logged into the step's artifacts."""
    import os
    from types import SimpleNamespace

    def number(value: Any) -> Any:
        value = value.item() if hasattr(value, "item") else value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError(f"a metric is a number, not {value!r}")
        return value

    most = 1000
    reports = [0]
    seen: dict[str, tuple[int, int]] = {}

    def add(points: list[Any], name: str, point: list[Any]) -> None:
        """Add a point to a metric's curve, of which the last and every n-th stay."""
        count, every = seen.get(name, (0, 1))
        if count and (count - 1) % every:
            points.pop()
        if len(points) == most:
            del points[1::2]
            every *= 2
        points.append(point)
        seen[name] = count + 1, every

    def log_metrics(*, step: int | None = None, **values: Any) -> None:
        """Log numbers by name: the last one is the metric; with ``step`` they are a curve too, and are printed."""
        logged = {name: number(value) for name, value in values.items()}
        for name, value in logged.items():
            # KFP's numbers are floats, and finite: a step that puts out another would fail for that
            metrics.metadata[name] = float(value) if value - value == 0 else str(value)
        if step is None:
            return
        print(f"step {step}:", " ".join(f"{name}={value}" for name, value in logged.items()))
        curves = metrics.metadata.setdefault("kfnb_curves", {})
        for name, value in logged.items():
            if value - value == 0:  # JSON has finite numbers alone
                add(curves.setdefault(name, []), name, [number(step), value])

    def report(value: Any = None, *, step: int | None = None, **values: Any) -> None:
        """Say how far training has come: ``kf.report(loss, step=epoch)`` or ``kf.report(accuracy=0.9, step=epoch)``.

        A value without a name is the objective's, where the step is a trial of a study; there it may end the trial.
        """
        if value is not None:
            # whoever runs a step as a trial says what its objective is called
            values = {os.environ.get("KFNB_OBJECTIVE", "value"): value, **values}
        if step is None:
            step = reports[0]
        reports[0] = int(step) + 1
        log_metrics(step=step, **values)

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
        report=report,
        log_roc=log_roc,
        log_confusion_matrix=log_confusion_matrix,
        html=log_html,
        markdown=log_markdown,
    )


KF_OUTPUTS = {
    "log_metrics": ("metrics", "Metrics"),
    "report": ("metrics", "Metrics"),
    "log_roc": ("classification", "ClassificationMetrics"),
    "log_confusion_matrix": ("classification", "ClassificationMetrics"),
    "html": ("html", "HTML"),
    "markdown": ("markdown", "Markdown"),
}
"""What of ``kf`` a step uses -> the artifact it goes to (the output is called ``kf_<that>``), and its KFP type."""
