"""What a model folder says of its model: packages, columns, an example."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def kfnb_packages(modules: Sequence[str]) -> dict[str, str]:
    """The installed packages of top-level modules, with their versions."""
    from importlib import metadata

    def versions(packages: Sequence[str]) -> dict[str, str]:
        found = {}
        for package in packages:
            try:
                found[package] = metadata.version(package)
            except metadata.PackageNotFoundError:
                continue
        return found

    known = {"sklearn": ["scikit-learn"], "xgboost": ["xgboost", "xgboost-cpu"]}
    named: dict[str, list[str]] = {}
    packages = {}
    for module in modules:
        found = versions(known.get(module, [module]))
        if not found and hasattr(metadata, "packages_distributions"):  # PIL is of Pillow
            named = named or dict(metadata.packages_distributions())
            found = versions(named.get(module, []))
        packages.update(found)
    return packages


def kfnb_signature(model: Any, example: Any = None) -> dict[str, Any]:
    """The columns that a model takes and returns, and the first rows of an example.

    Raises ``TypeError`` for an example that the model does not take.
    """
    facts: dict[str, Any] = {"inputs": [], "outputs": []}
    if example is None:
        names = [str(name) for name in getattr(model, "feature_names_in_", ())]
        facts["inputs"] = [kfnb_column(name) for name in names]
        count = getattr(model, "n_features_in_", None)
        if not names and isinstance(count, int):
            facts["inputs"] = [kfnb_column("", shape=[-1, count])]
        return facts
    shape = getattr(example, "shape", None)
    if not (shape or isinstance(example, list)):
        raise TypeError(f"the example is a {type(example).__name__}; give a DataFrame or an array")
    if not (shape[0] if shape else example):
        raise TypeError("the example has no rows")
    rows = example[:5]
    facts["inputs"] = kfnb_columns(rows)
    facts["input_example"] = kfnb_example_rows(rows)
    if hasattr(model, "predict"):
        try:
            facts["outputs"] = kfnb_columns(model.predict(kfnb_model_input(model, rows)))
        except Exception as error:  # whatever its library raises of values that do not fit
            raise TypeError(f"the model does not take the example: {error}") from None
    return facts


def kfnb_model_input(model: Any, rows: Any) -> Any:
    """Rows as the model's predict takes them: a Booster of XGBoost takes its own matrix alone."""
    kinds = {(kind.__module__.partition(".")[0], kind.__name__) for kind in type(model).__mro__}
    if ("xgboost", "Booster") not in kinds:
        return rows
    import xgboost

    return xgboost.DMatrix(rows)


def kfnb_columns(value: Any) -> list[dict[str, Any]]:
    """The columns of a DataFrame, or an array as one column with its shape; -1 is for rows."""
    if hasattr(value, "columns") and hasattr(value, "dtypes"):
        nulls = [
            bool(value[name].isna().any()) if hasattr(value, "isna") else False for name in value.columns
        ]
        kinds = list(value.dtypes)
        return [
            kfnb_column(str(name), str(kind), nullable=null)
            for name, kind, null in zip(value.columns, kinds, nulls)  # noqa: B905 - also where Python is 3.9
        ]
    shape = [-1, *getattr(value, "shape", (len(value),))[1:]]
    return [kfnb_column(str(getattr(value, "name", None) or ""), str(getattr(value, "dtype", "")), shape)]


def kfnb_column(
    name: str, kind: str = "", shape: Sequence[int] = (), *, nullable: bool = False
) -> dict[str, Any]:
    """A column of a signature."""
    return {"name": name, "type": kind, "shape": list(shape), "nullable": nullable}


def kfnb_example_rows(value: Any) -> dict[str, Any]:
    """Rows as JSON has them; a missing value is None."""

    def plain(item: Any) -> Any:
        if isinstance(item, (list, tuple)):
            return [plain(one) for one in item]
        if item is None or isinstance(item, (str, bool)):
            return item
        item = item.item() if hasattr(item, "item") else item
        if isinstance(item, float) and item - item != 0.0:
            return None
        return item if isinstance(item, (int, float, bool)) else str(item)

    if hasattr(value, "columns"):
        rows = value.values.tolist() if hasattr(value, "values") else value.rows()
        return {"columns": [str(name) for name in value.columns], "rows": plain(rows)}
    return {"rows": plain(value.tolist() if hasattr(value, "tolist") else list(value))}
