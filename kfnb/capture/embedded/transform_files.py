"""How a transform is written into a folder, and read again.

``code/transform.py`` is its module, and ``code/modules/`` what that imports from beside the notebook. ``state/`` is
what ``fit`` has learned; there is none without a ``fit``. What a reader must know beside, with the digests of both, is
in ``kfnb_model.json`` of a model folder, and in ``transform.json`` of an artifact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kfnb.capture.embedded.model_facts import kfnb_signature
from kfnb.capture.embedded.row_by_row import kfnb_checked_transform, kfnb_own_rows
from kfnb.capture.embedded.samples import kfnb_example, kfnb_write_sample
from kfnb.capture.embedded.states import (
    kfnb_carried,
    kfnb_carry,
    kfnb_read_state,
    kfnb_state_reader,
    kfnb_state_writer,
    kfnb_write_state,
)
from kfnb.capture.embedded.transforms import kfnb_Transform


def kfnb_keep_transform(
    transform: Any, model: Any, folder: str, example: Any = None, trust: Sequence[str] = ()
) -> dict[str, Any]:
    """Write a fitted transform into a model folder; what ``kfnb_model.json`` says of it and of what it takes.

    ``modules`` are those that both need; ``remarks`` say what serving will refuse. Raises ``TypeError`` for what is
    not a transform, is not fitted, has a state without a safe format, or does not take the example.
    """
    if not hasattr(transform, "fit_transform") or not hasattr(transform, "code"):
        raise TypeError(f"transform={transform!r}: give the object of a %%kf_transform cell")
    name = transform.name
    if transform.learns and not transform.fitted:
        raise TypeError(f"{name} is not fitted: call {name}.fit(df) before the model is saved")
    kept = kfnb_save_transform(transform, folder, kfnb_state_writer(trust))
    kept.update({"trust": sorted(trust)} if trust else {})
    facts: dict[str, Any] = {
        "transform": kept,
        "modules": [*kept["packages"].values()],
        "inputs": [],
        "outputs": [],
    }
    text = "serving cannot check what comes, nor explain it: pass example=df, rows as they come"
    if example is None and transform.given is None:
        return {**facts, "remarks": [f"nothing is known of what {name} takes: {text}"]}
    again = kfnb_open_transform(folder, kept, kfnb_state_reader(trust))
    try:
        described = kfnb_describe_raw(transform, again, model, folder, example)
    except TypeError as error:
        if example is not None:
            raise
        return {**facts, "remarks": [f"no example was given, and for what {name} was given, {error}: {text}"]}
    return {**facts, **described, "modules": [*facts["modules"], *described["modules"]]}


def kfnb_describe_raw(
    transform: Any, again: Any, model: Any, folder: str, example: Any = None
) -> dict[str, Any]:
    """What ``kfnb_model.json`` says of the rows that a transform takes for a model, of which some are kept.

    They are those of the ``example``, else what the transform was given in this process. ``again`` is the transform as
    it comes back. Raises ``TypeError`` for rows that transform and model do not take.
    """
    rows, every = (
        (kfnb_example(example), example) if example is not None else kfnb_given_rows(transform.given)
    )
    try:
        whole = transform.transform(kfnb_own_rows(rows, 0, len(rows)))
    except Exception as error:  # whatever it raises of values that do not fit
        raise TypeError(
            f"{transform.name} does not take the example: {type(error).__name__}: {error}"
        ) from error
    facts = kfnb_signature(model, rows if every is None else every, whole)
    remark, unused = kfnb_checked_transform(transform, again, rows, whole)
    remarks = [f"{remark}. Serving refuses that"] if remark else []
    if every is None:
        facts["inputs"] = [kfnb_of_few(column) for column in facts["inputs"]]
        text = f"{len(rows)} rows are left of what {transform.name} was given: serving cannot check ranges, categories"
        remarks.append(f"{text} and nulls: pass example=df, rows as they come")
    for column in facts["inputs"]:
        column.update({"optional": True} if column["name"] in unused else {})
    sample = kfnb_write_sample(folder, rows, facts.pop("predictions", None))
    return {**facts, **sample, "remarks": [*remarks, *sample["remarks"]]}


def kfnb_given_rows(given: tuple[Any, Any]) -> tuple[Any, Any]:
    """The rows that a transform has kept of what it was given, and all of it; None if that is gone or was changed."""
    rows, reference = given
    every = None if reference is None else reference()

    def form(value: Any) -> list[str]:
        return [*map(str, getattr(value, "columns", ())), *map(str, getattr(value, "dtypes", ()))]

    return rows, every if every is not None and form(every) == form(rows) else None


def kfnb_of_few(column: dict[str, Any]) -> dict[str, Any]:
    """A column of a signature that was made of a few rows: others may have what these have not."""
    import re

    known = {key: value for key, value in column.items() if key not in ("minimum", "maximum", "categories")}
    return {
        **known,
        "nullable": not re.fullmatch("u?int[0-9]+|bool", column["type"]),
    }  # numpy's have no nulls


def kfnb_model_transform(folder: str) -> Any:
    """The transform of a model folder; None if it has none. Its code runs when it is first used.

    Raises ``ValueError`` if its files are not those that the model was saved with.
    """
    import json
    import os

    with open(os.path.join(folder, "kfnb_model.json"), encoding="utf-8") as file:
        facts = json.load(file).get("transform")
    return (
        None
        if facts is None
        else kfnb_open_transform(folder, facts, kfnb_state_reader(facts.get("trust", ())))
    )


def kfnb_write_transform(transform: Any, path: str) -> str:
    """Write a transform into an artifact, with pickles of what in its state has no safe format."""
    import json
    import os
    import shutil

    if type(transform).__name__ != "kfnb_Transform":
        return ""
    os.makedirs(path)
    try:
        facts = kfnb_save_transform(transform, path, kfnb_carry)
        with open(os.path.join(path, "transform.json"), "w", encoding="utf-8") as file:
            json.dump(facts, file)
    except BaseException:
        shutil.rmtree(path)
        raise
    return "transform"


def kfnb_load_transform(artifact: Any) -> Any:
    """The transform in an artifact of the pipeline."""
    import json
    import os

    with open(os.path.join(artifact.path, "transform.json"), encoding="utf-8") as file:
        return kfnb_open_transform(artifact.path, json.load(file), kfnb_carried)


def kfnb_save_transform(transform: Any, folder: str, write: Callable[[Any, str], str]) -> dict[str, Any]:
    """Write a transform into a folder; what a reader must know of it. ``write`` writes the estimators in its state."""
    import os

    code, state = os.path.join(folder, "code"), os.path.join(folder, "state")
    texts = {"transform.py": transform.code}
    texts.update({f"modules/{path}": text for path, text in transform.files.items()})
    for path, text in texts.items():
        file = os.path.join(code, *path.split("/"))
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(file, "w", encoding="utf-8", newline="") as target:
            target.write(text)
    packages, learned = transform.packages, transform.fitted and transform.learns
    if learned:
        packages = {**kfnb_write_state(transform.state, state, write), **packages}
    facts = {
        "name": transform.name,
        "code": kfnb_digest(code),
        "state": kfnb_digest(state) if learned else "",
    }
    return {**facts, "packages": packages}


def kfnb_open_transform(folder: str, facts: Mapping[str, Any], read: Callable[[str, str], Any]) -> Any:
    """The transform in a folder, of which ``facts`` are known. ``read`` reads the estimators in its state."""
    import os

    code, state = os.path.join(folder, "code"), os.path.join(folder, "state")
    for part, digest in ((code, facts["code"]), (state, facts["state"])):
        if digest and kfnb_digest(part) != digest:
            raise ValueError(f"{part} is not what was saved: it was changed, or a file is missing")
    texts = {}
    for around, _, names in os.walk(code):
        for name in names:
            path = os.path.join(around, name)
            with open(path, encoding="utf-8", newline="") as file:
                texts[os.path.relpath(path, code).replace(os.sep, "/")] = file.read()
    own = texts.pop("transform.py")
    files = {path.partition("/")[2]: text for path, text in texts.items()}
    found = kfnb_Transform(facts["name"], own, files, facts["packages"])
    if facts["state"]:
        found.state, found.fitted = kfnb_read_state(state, read), True
    return found


def kfnb_digest(folder: str) -> str:
    """The sha256 of a folder's manifest: a line with sha256, size and path for each file, sorted by path."""
    import hashlib
    import os

    lines = {}
    for around, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(around, name)
            with open(path, "rb") as file:
                content = file.read()
            short = os.path.relpath(path, folder).replace(os.sep, "/")
            lines[short] = f"{hashlib.sha256(content).hexdigest()} {len(content)} {short}\n"
    return hashlib.sha256("".join(lines[short] for short in sorted(lines)).encode()).hexdigest()
