"""A transform: the functions ``fit`` and ``transform`` of a cell, and what ``fit`` has learned.

Its code is one text with all that it needs, which is the same in the notebook, in a step and in a server. It runs when
it is first used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kfnb.capture.embedded.samples import kfnb_example
from kfnb.capture.embedded.transform_code import kfnb_run_module, kfnb_takes_state


class kfnb_Transform:  # noqa: N801 - it is embedded by its name
    """The object of ``%%kf_transform``: ``fit(df)``, ``transform(df)``, ``fit_transform(df)`` and ``state``.

    ``code`` is the source of its module, ``files`` are the modules beside the notebook that it imports, by path, and
    ``packages`` the packages that it needs, by the module that is imported. ``state`` is what ``fit`` returned;
    ``fitted`` is true once it has. ``given`` is what it was fitted on in this process, else what it transformed first:
    see ``kfnb_given``.
    """

    def __init__(
        self,
        name: str,
        code: str,
        files: Mapping[str, str] | None = None,
        packages: Mapping[str, str] | None = None,
    ) -> None:
        self.name, self.code = name, code
        self.files, self.packages = dict(files or {}), dict(packages or {})
        self.state: Any = None
        self.fitted = False
        self.given: tuple[Any, Any] | None = None
        self._functions: dict[str, Any] = {}

    def __repr__(self) -> str:
        learns = "\ndef fit(" in f"\n{self.code}"
        return f"<transform {self.name}{', not fitted' if learns and not self.fitted else ''}>"

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_functions": {}, "given": None}

    def forget(self) -> None:
        """Drop what was learned."""
        self.state, self.fitted, self.given = None, False, None

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
        self.given = kfnb_given(df)
        if self.learns:
            state = self.load()["fit"](df)
            if state is None:
                raise TypeError(
                    f"fit of {self.name} returned nothing: return what transform needs as its state"
                )
            self.state = state
        self.fitted = True
        return self

    def transform(self, df: Any) -> Any:
        """``df``, transformed with the state that was learned."""
        function = self.load()["transform"]
        if self.learns and not self.fitted:
            raise ValueError(f"{self.name} is not fitted: call {self.name}.fit(df) first")
        self.given = self.given or kfnb_given(df)
        found = function(df, self.state) if kfnb_takes_state(function) else function(df)
        if found is None:
            raise TypeError(f"transform of {self.name} returned nothing: return the transformed table")
        return found

    def fit_transform(self, df: Any) -> Any:
        """``fit``, then ``transform``."""
        return self.fit(df).transform(df)


def kfnb_given(df: Any) -> tuple[Any, Any] | None:
    """Up to 100 rows of what a transform is given, and a reference to all of it that keeps nothing alive.

    None for what has no rows. A model that is saved without an example is described by them.
    """
    import weakref

    try:
        rows = kfnb_example(df)
        rows = rows.copy() if hasattr(rows, "copy") else rows
    except Exception:  # whatever comes of values that are neither tables nor arrays
        return None
    try:
        return rows, weakref.ref(df)
    except TypeError:  # a list
        return rows, None
