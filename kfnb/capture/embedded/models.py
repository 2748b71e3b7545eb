"""How a model becomes a model folder, and comes back: in a step by ``kf.save``, in a notebook by ``kfnb.register``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kfnb.capture.embedded.model_facts import kfnb_packages
from kfnb.capture.embedded.model_types import kfnb_trusted
from kfnb.capture.embedded.samples import kfnb_describe


def kfnb_write_model(
    model: Any,
    folder: str,
    example: Any = None,
    *,
    transform: Any = None,
    keep: Callable[..., dict[str, Any]] | None = None,
    pickle: bool = False,
    trust: Sequence[str] = (),
) -> dict[str, Any]:
    """Write a model in its field's safe format into a new ``folder``; what ``kfnb_model.json`` has, and ``remarks``.

    ``example`` is a DataFrame or an array that the model takes, of which up to 100 rows are kept, or that
    ``transform`` takes, which makes of it what the model takes; ``keep`` writes that into the folder. Raises
    ``TypeError`` for a model that has no safe format, unless ``pickle`` allows a pickle or ``trust`` names the types
    in question.
    """
    import json
    import os
    import sys

    os.makedirs(folder)
    facts = kfnb_write_only_model(model, folder, pickle=pickle, trust=trust)
    if transform is None:
        described = kfnb_describe(model, folder, example)
    elif keep is None:
        raise TypeError("transform= is not a transform that this step reads by its own name")
    else:
        described = keep(transform, model, folder, example, trust)
    remarks = described.pop("remarks")
    modules = [*facts.pop("modules", []), *described.pop("modules")]
    facts.update(described)
    facts["packages"] = kfnb_packages(modules)
    facts["python"] = f"{sys.version_info[0]}.{sys.version_info[1]}"
    with open(os.path.join(folder, "kfnb_model.json"), "w", encoding="utf-8") as file:
        json.dump(facts, file, indent=1, sort_keys=True)
    with open(os.path.join(folder, "requirements.txt"), "w", encoding="utf-8") as file:
        file.writelines(f"{name}=={version}\n" for name, version in sorted(facts["packages"].items()))
    return {**facts, "remarks": remarks}


def kfnb_write_only_model(model: Any, folder: str, *, pickle: bool, trust: Sequence[str]) -> dict[str, Any]:
    """Write the file of a model; its format, its class and the modules that reading it needs."""
    form = kfnb_model_format(model)
    if not form and not pickle:
        kind = type(model)
        raise TypeError(
            f"{kind.__module__}.{kind.__name__} has no safe format; pass pickle=True to save it as a pickle,"
            " which executes code when it is loaded"
        )
    try:
        if form == "skops":
            facts = kfnb_write_skops(model, folder, trust)
        else:
            facts = kfnb_write_native(model, folder, form) if form else kfnb_write_pickled(model, folder)
    except TypeError:
        if not pickle:
            raise
        facts = kfnb_write_pickled(model, folder)
    facts["class"] = f"{type(model).__module__}.{type(model).__qualname__}"
    return facts


def kfnb_model_format(model: Any) -> str:
    """The safe format of a model by its class; empty where it has none."""
    kinds = {(kind.__module__.partition(".")[0], kind.__name__) for kind in type(model).__mro__}
    formats = {
        ("xgboost", "XGBModel"): "xgboost",
        ("xgboost", "Booster"): "xgboost",
        ("lightgbm", "Booster"): "lightgbm",
        ("torch", "Module"): "torch",
        ("keras", "Model"): "keras",
        ("onnx", "ModelProto"): "onnx",
        ("sklearn", "BaseEstimator"): "skops",
    }
    return next((form for kind, form in formats.items() if kind in kinds), "")


def kfnb_write_skops(model: Any, folder: str, trust: Sequence[str]) -> dict[str, Any]:
    """Write a scikit-learn estimator with skops, the same bytes for the same estimator."""
    import io
    import json
    import os
    from zipfile import ZipFile, ZipInfo

    import skops.io

    try:
        data = skops.io.dumps(model)
    except Exception as error:
        raise TypeError(f"{type(model).__name__} cannot be saved by skops: {error}") from None
    unknown = sorted(set(skops.io.get_untrusted_types(data=data)) - set(kfnb_trusted()) - set(trust))
    if unknown:
        raise TypeError(
            f"{type(model).__name__} contains types that are not known to be safe: {', '.join(unknown)}; pass"
            f" trust=[{', '.join(map(repr, unknown))}] if you know them, or pickle=True to save a pickle"
        )
    numbers: dict[str, str] = {}  # skops names objects by their addresses in memory
    modules = set()

    def renumbered(node: Any) -> Any:
        if isinstance(node, list):
            return [renumbered(item) for item in node]
        if not isinstance(node, dict):
            return node
        if isinstance(node.get("__module__"), str):
            modules.add(node["__module__"].partition(".")[0])
        found: dict[str, Any] = {}
        for key, value in node.items():
            if key == "__id__" and isinstance(value, int):
                found[key] = int(numbers.setdefault(str(value), str(len(numbers) + 1)))
            elif key == "file" and isinstance(value, str):
                stem, dot, ending = value.partition(".")
                found[key] = numbers.setdefault(stem, str(len(numbers) + 1)) + dot + ending
            else:
                found[key] = renumbered(value)
        return found

    with ZipFile(io.BytesIO(data)) as source, ZipFile(os.path.join(folder, "model.skops"), "w") as target:
        schema = renumbered(json.loads(source.read("schema.json")))
        files = {"schema.json": json.dumps(schema).encode()}
        for name in source.namelist():
            if name != "schema.json":
                stem, dot, ending = name.partition(".")
                files[numbers[stem] + dot + ending] = source.read(name)
        for name, content in files.items():
            target.writestr(ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
    facts: dict[str, Any] = {"format": "skops", "file": "model.skops", "modules": [*sorted(modules), "skops"]}
    if trust:
        facts["trust"] = sorted(trust)
    return facts


def kfnb_write_native(model: Any, folder: str, form: str) -> dict[str, Any]:
    """Write a model in its own library's format, which holds no code."""
    import os

    files = {
        "xgboost": "model.ubj",
        "lightgbm": "model.txt",
        "torch": "model.safetensors",
        "keras": "model.keras",
        "onnx": "model.onnx",
    }
    path = os.path.join(folder, files[form])
    modules = [form]
    if form == "torch":
        from safetensors.torch import save_file

        state = {name: tensor.contiguous().clone() for name, tensor in model.state_dict().items()}
        save_file(state, path)
        modules.append("safetensors")
    elif form == "onnx":
        with open(path, "wb") as file:
            file.write(model.SerializeToString(deterministic=True))
    elif form == "keras":
        from pkgutil import resolve_name

        model.save(path)
        try:
            resolve_name("keras.saving.load_model")(path, safe_mode=True)
        except (TypeError, ValueError) as error:  # a Lambda layer holds code; a class may be unknown to Keras
            raise TypeError(f"Keras cannot load it in safe mode: {error}") from None
        modules.append(resolve_name("keras.config.backend")())
    else:
        model.save_model(path)
        modules += ["sklearn"] if hasattr(model, "get_params") else []
    return {"format": form, "file": files[form], "modules": [*modules, "numpy"]}


def kfnb_write_pickled(model: Any, folder: str) -> dict[str, Any]:
    """Write a model as a pickle."""
    import os

    import cloudpickle

    with open(os.path.join(folder, "model.pkl"), "wb") as file:
        file.write(cloudpickle.dumps(model))
    modules = [type(model).__module__.partition(".")[0], "cloudpickle"]
    return {"format": "pickle", "file": "model.pkl", "modules": modules}


def kfnb_read_model(folder: str, *, pickle: bool = False, trust: Sequence[str] = (), into: Any = None) -> Any:
    """The model of a model folder.

    Raises ``TypeError`` for types that are neither known to be safe nor in ``trust``, and for a pickle unless
    ``pickle`` is true. ``into`` is the module that a torch model's state is loaded into; without it the state returns.
    """
    import json
    import os
    from pkgutil import resolve_name

    with open(os.path.join(folder, "kfnb_model.json"), encoding="utf-8") as file:
        facts = json.load(file)
    form, path = facts["format"], os.path.join(folder, os.path.basename(facts["file"]))
    if form == "pickle":
        if not pickle:
            raise TypeError(
                "the model is a pickle, which executes code when it is loaded; pass pickle=True if you trust it"
            )
        import cloudpickle

        with open(path, "rb") as file:
            return cloudpickle.load(file)
    readers: dict[str, Callable[[], Any]] = {
        "skops": lambda: kfnb_read_skops(path, trust),
        "xgboost": lambda: kfnb_read_xgboost(path, str(facts.get("class", "")).rpartition(".")[2]),
        "torch": lambda: kfnb_read_torch(path, into),
        "lightgbm": lambda: resolve_name("lightgbm.Booster")(model_file=path),
        "onnx": lambda: resolve_name("onnx.load")(path),
        "keras": lambda: resolve_name("keras.saving.load_model")(path, safe_mode=True),
    }
    if form not in readers:
        raise TypeError(f"the model has the format {form!r}, which this version does not know")
    return readers[form]()


def kfnb_read_skops(path: str, trust: Sequence[str]) -> Any:
    """An estimator that skops wrote, of known types alone."""
    import skops.io

    types = skops.io.get_untrusted_types(file=path)
    unknown = sorted(set(types) - set(kfnb_trusted()) - set(trust))
    if unknown:
        raise TypeError(
            f"the model contains types that are not known to be safe: {', '.join(unknown)}; pass"
            f" trust=[{', '.join(map(repr, unknown))}] if you trust them"
        )
    return skops.io.load(path, trusted=types)


def kfnb_read_xgboost(path: str, name: str) -> Any:
    """A booster of XGBoost, or the estimator of that class."""
    import xgboost

    known = ("XGBClassifier", "XGBRFClassifier", "XGBRFRegressor", "XGBRanker", "XGBRegressor")
    model = getattr(xgboost, name)() if name in known else xgboost.Booster()
    model.load_model(path)
    return model


def kfnb_read_torch(path: str, into: Any) -> Any:
    """The tensors of a torch module by name, or the module that they are loaded into."""
    from safetensors.torch import load_file

    state = load_file(path)
    if into is None:
        return state
    into.load_state_dict(state)
    return into
