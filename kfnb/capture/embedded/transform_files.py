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
    facts: dict[str, Any] = {"transform": kept, "modules": [*kept["packages"].values()], "remarks": []}
    if example is None:
        text = f"nothing is known of what {name} takes, and serving cannot check it: pass example=df, rows as they come"
        return {**facts, "inputs": [], "outputs": [], "remarks": [text]}
    rows = kfnb_example(example)
    try:
        whole = transform.transform(kfnb_own_rows(rows, 0, len(rows)))
    except Exception as error:  # whatever it raises of values that do not fit
        raise TypeError(f"{name} does not take the example: {type(error).__name__}: {error}") from error
    facts.update(kfnb_signature(model, example, whole))
    again = kfnb_open_transform(folder, kept, kfnb_state_reader(trust))
    remark, unused = kfnb_checked_transform(transform, again, rows, whole)
    remarks = [f"{remark}. Serving refuses that"] if remark else []
    for column in facts["inputs"]:
        column.update({"optional": True} if column["name"] in unused else {})
    sample = kfnb_write_sample(folder, rows, facts.pop("predictions", None))
    modules, remarks = [*facts["modules"], *sample["modules"]], [*remarks, *sample["remarks"]]
    return {**facts, **sample, "modules": modules, "remarks": remarks}


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
