"""A transform: the functions ``fit`` and ``transform`` of a cell, and what ``fit`` has learned; and its files.

Its code is one text with all that it needs, which is the same in the notebook, in a step and in a server: ``code/transform.py``,
with what it imports from beside the notebook in ``code/modules/``. It runs when it is first used. What ``fit`` has learned is in
``state/``; there is none without a ``fit``. What a reader must know beside is in ``kfnb_model.json`` of a model folder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kfnb.capture.embedded.states import kfnb_read_state, kfnb_write_state
from kfnb.capture.embedded.transform_code import kfnb_run_module, kfnb_takes_state


class kfnb_Transform:  # noqa: N801 - it is embedded by its name
    """The object of ``%%kf_transform``: ``fit(df)``, ``transform(df)``, ``fit_transform(df)`` and ``state``.

    ``code`` is the source of its module, ``files`` are the modules beside the notebook that it imports, by path, and
    ``packages`` those that it needs. ``state`` is what ``fit`` returned; ``fitted`` is true once it has.
    """

    def __init__(
        self, name: str, code: str, files: Mapping[str, str] | None = None, packages: Sequence[str] = ()
    ) -> None:
        self.name, self.code = name, code
        self.files, self.packages = dict(files or {}), sorted(packages)
        self.state: Any = None
        self.fitted = False
        self._functions: dict[str, Any] = {}

    def __repr__(self) -> str:
        learns = "def fit(" in self.code
        return f"<transform {self.name}{', not fitted' if learns and not self.fitted else ''}>"

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_functions": {}}

    def load(self) -> dict[str, Any]:
        """Run its code, if that has not been done; its names."""
        if not self._functions:
            self._functions = kfnb_run_module(self.name, self.code, self.files)
        return self._functions

    @property
    def learns(self) -> bool:
        """Whether it has a ``fit``, and so a state. Its code is run."""
        return "fit" in self.load()

    def fit(self, df: Any) -> Any:
        """Learn the state from ``df``; itself."""
        if self.learns:
            state = self.load()["fit"](df)
            if state is None:
                raise TypeError(f"fit of {self.name} returned nothing: return what transform needs as its state")
            self.state = state
        self.fitted = True
        return self

    def transform(self, df: Any) -> Any:
        """``df``, transformed with the state that was learned."""
        function = self.load()["transform"]
        if self.learns and not self.fitted:
            raise ValueError(f"{self.name} is not fitted: call {self.name}.fit(df) first")
        found = function(df, self.state) if kfnb_takes_state(function) else function(df)
        if found is None:
            raise TypeError(f"transform of {self.name} returned nothing: return the transformed table")
        return found

    def fit_transform(self, df: Any) -> Any:
        """``fit``, then ``transform``."""
        return self.fit(df).transform(df)

    def save(self, folder: str, trust: Sequence[str] = (), *, pickle: bool = False) -> dict[str, Any]:
        """Write it into a folder, as ``code`` and ``state``; what a reader must know of it."""
        return kfnb_save_transform(self, folder, trust, pickle=pickle)


def kfnb_model_transform(folder: str) -> Any:
    """The transform of a model folder; None if it has none. Its code runs when it is first used.

    Raises ``ValueError`` if its files are not those that the model was saved with.
    """
    import json
    import os

    with open(os.path.join(folder, "kfnb_model.json"), encoding="utf-8") as file:
        facts = json.load(file).get("transform")
    return None if facts is None else kfnb_open_transform(folder, facts)


def kfnb_open_transform(folder: str, facts: Mapping[str, Any], *, pickle: bool = False) -> Any:
    """The transform in ``code`` and ``state`` of a folder, of which ``facts`` are known."""
    import os

    code, state = os.path.join(folder, "code"), os.path.join(folder, "state")
    for part, digest in ((code, facts["code"]), (state, facts.get("state", ""))):
        if digest and kfnb_digest(part) != digest:
            raise ValueError(f"{part} was changed: it is not what was saved")
    modules, files = os.path.join(code, "modules"), {}
    for around, _, names in os.walk(modules):
        for name in names:
            path = os.path.join(around, name)
            with open(path, encoding="utf-8", newline="") as file:
                files[os.path.relpath(path, modules).replace(os.sep, "/")] = file.read()
    with open(os.path.join(code, "transform.py"), encoding="utf-8", newline="") as file:
        found = kfnb_Transform(facts["name"], file.read(), files, facts.get("packages", ()))
    if facts.get("state"):
        found.state, found.fitted = kfnb_read_state(state, pickle=pickle), True
    return found


def kfnb_save_transform(
    transform: Any, folder: str, trust: Sequence[str] = (), *, pickle: bool = False
) -> dict[str, Any]:
    """Write a transform into a folder; what a reader must know of it: its name, and the digests of both parts.

    Raises ``TypeError`` for a state without a safe format, unless ``pickle`` allows pickles in it.
    """
    import os

    code, state = os.path.join(folder, "code"), os.path.join(folder, "state")
    texts = {"transform.py": transform.code}
    texts.update({f"modules/{path}": text for path, text in transform.files.items()})
    for path, text in texts.items():
        file = os.path.join(code, *path.split("/"))
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(file, "w", encoding="utf-8", newline="") as target:
            target.write(text)
    facts = {"name": transform.name, "code": kfnb_digest(code), "packages": transform.packages, "state": ""}
    if transform.fitted and transform.learns:
        needed = kfnb_write_state(transform.state, state, trust, pickle=pickle)
        facts["packages"] = sorted({*transform.packages, *(needed - {"builtins", "__main__"})})
        facts["state"] = kfnb_digest(state)
    return facts


def kfnb_digest(folder: str) -> str:
    """The sha256 of a folder's manifest: a line with sha256, size and path for each file, sorted by path."""
    import hashlib
    import os

    lines = []
    for around, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(around, name)
            with open(path, "rb") as file:
                content = file.read()
            short = os.path.relpath(path, folder).replace(os.sep, "/")
            lines.append((short, f"{hashlib.sha256(content).hexdigest()} {len(content)} {short}\n"))
    return hashlib.sha256("".join(line for _, line in sorted(lines)).encode()).hexdigest()
