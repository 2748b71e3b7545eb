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


def kfnb_signature(model: Any, example: Any = None, given: Any = None) -> dict[str, Any]:
    """The columns that a model takes and returns, the first rows of an example, and ``predictions``.

    ``given`` is what the model takes of the example's rows: those themselves, or what a transform makes of them. Raises
    ``TypeError`` where it does not take them.
    """
    facts: dict[str, Any] = {"inputs": [], "outputs": []}
    if example is None:
        names = [str(name) for name in getattr(model, "feature_names_in_", ())]
        facts["inputs"] = [kfnb_column(name) for name in names]
        count = getattr(model, "n_features_in_", None)
        if not names and isinstance(count, int):
            facts["inputs"] = [kfnb_column("", shape=[-1, count])]
        return facts
    facts["inputs"] = kfnb_columns(example, seen=True)
    facts["input_example"] = kfnb_example_rows(example[:5])
    if hasattr(model, "predict"):
        try:
            facts["predictions"] = model.predict(kfnb_model_input(model, given))
        except Exception as error:  # whatever its library raises of values that do not fit
            raise TypeError(f"the model does not take the example: {error}") from None
        if not (hasattr(facts["predictions"], "__len__") or hasattr(facts["predictions"], "shape")):
            kind = type(facts["predictions"]).__name__
            raise TypeError(f"predict of the model returned a {kind}: return a prediction for each row")
        facts["outputs"] = kfnb_columns(facts["predictions"])
    return facts


def kfnb_model_input(model: Any, rows: Any) -> Any:
    """Rows as the model's predict takes them: a Booster of XGBoost takes its own matrix alone."""
    kinds = {(kind.__module__.partition(".")[0], kind.__name__) for kind in type(model).__mro__}
    if ("xgboost", "Booster") not in kinds:
        return rows
    import xgboost

    return xgboost.DMatrix(rows)


def kfnb_columns(value: Any, *, seen: bool = False) -> list[dict[str, Any]]:
    """The columns of a DataFrame, or an array as one column with its shape; -1 is for rows.

    With ``seen``, they have the categories and the range of the values too.
    """
    if hasattr(value, "columns") and hasattr(value, "dtypes"):
        nulls = [
            bool(value[name].isna().any()) if hasattr(value, "isna") else bool(value[name].null_count())
            for name in value.columns
        ]
        kinds = list(value.dtypes)
        found = [
            kfnb_column(str(name), str(kind), nullable=null)
            for name, kind, null in zip(value.columns, kinds, nulls)  # noqa: B905 - also where Python is 3.9
        ]
        for column, name in zip(found, value.columns):  # noqa: B905
            column.update(kfnb_seen(value[name]) if seen else {})
        return found
    shape = [-1, *getattr(value, "shape", (len(value),))[1:]]
    return [kfnb_column(str(getattr(value, "name", None) or ""), str(getattr(value, "dtype", "")), shape)]


def kfnb_seen(column: Any) -> dict[str, Any]:
    """The values of a column: at most 100 ``categories`` of texts, or ``minimum`` and ``maximum`` of others."""
    known = column.dropna() if hasattr(column, "dropna") else column.drop_nulls()
    categories = getattr(column.dtype, "categories", None)
    try:
        if categories is None and len(known):
            first = known.iloc[0] if hasattr(known, "iloc") else known[0]
            if hasattr(first, "isoformat") or type(kfnb_plain(first)) in (int, float):
                least, most = kfnb_plain(known.min()), kfnb_plain(known.max())
                return {"minimum": least, "maximum": most} if None not in (least, most) else {}
            categories = known.unique() if type(first) is str else None
    except TypeError:  # values of several types, or lists
        return {}
    most = 100
    if categories is None or len(categories) > most:
        return {}
    return {"categories": sorted(map(kfnb_plain, categories), key=lambda item: (str(type(item)), item))}


def kfnb_column(
    name: str, kind: str = "", shape: Sequence[int] = (), *, nullable: bool = False
) -> dict[str, Any]:
    """A column of a signature."""
    return {"name": name, "type": kind, "shape": list(shape), "nullable": nullable}


def kfnb_example_rows(value: Any) -> dict[str, Any]:
    """Rows as JSON has them; a missing value is None."""
    if hasattr(value, "columns"):
        rows = value.values.tolist() if hasattr(value, "values") else value.rows()
        return {"columns": [str(name) for name in value.columns], "rows": kfnb_plain(rows)}
    return {"rows": kfnb_plain(value.tolist() if hasattr(value, "tolist") else list(value))}


def kfnb_plain(item: Any) -> Any:
    """A value as JSON has it, for people to read: a missing one is None, a time is a text."""
    if isinstance(item, (list, tuple)):
        return [kfnb_plain(one) for one in item]
    if item is None or isinstance(item, (str, bool)):
        return item
    if type(item).__name__ in ("NaTType", "NAType"):
        return None
    if hasattr(item, "isoformat"):
        return item.isoformat()
    item = item.item() if hasattr(item, "item") else item
    if isinstance(item, float) and item - item != 0.0:
        return None
    return item if isinstance(item, (int, float, bool)) else str(item)
