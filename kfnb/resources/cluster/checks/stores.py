"""What the settings ``data_store`` and ``model_registry`` name: whether it is there, and may be used."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from kfnb.errors import KfnbError
from kfnb.resources.cluster.model import Check, CheckOutcome
from kfnb.resources.datasets import api as datasets
from kfnb.resources.models import api as models
from kfnb.settings import settings

TIMEOUT = 8.0
"""Seconds that a store is waited for."""


@dataclass(frozen=True)
class _Store:
    """``ask`` says what there is, or raises ``KfnbError``; ``fixes`` are by the code of the error."""

    name: str
    setting: str
    ask: Callable[[], str]
    fixes: Mapping[str, str]

    def check(self) -> Check:
        """Whether it answers."""
        try:
            return Check(self.name, CheckOutcome.GOOD, self.ask())
        except KfnbError as error:
            return Check(self.name, CheckOutcome.BAD, error.message, error.hint or self.fix(error.code))

    def fix(self, code: str) -> str:
        """What to do about an error of that kind."""
        return self.fixes.get(code, f"check its address: %kf_config {self.setting}=ADDRESS")


_DATA = _Store(
    "data store",
    "data_store",
    datasets.store_summary,
    {
        "forbidden": "set the store's credentials in the environment (for s3://, AWS_ACCESS_KEY_ID and"
        " AWS_SECRET_ACCESS_KEY), or ask its owner for the right to list, read and write it",
        "not-found": "create the bucket or the folder, or set another: %kf_config data_store=ADDRESS",
    },
)
_MODELS = _Store(
    "model registry of the settings",
    "model_registry",
    models.cluster_registry,
    {"forbidden": "ask its owner for the right to use it, or sign in: %kf_config token_file=FILE"},
)


def stores() -> Iterator[Check]:
    """The data store; and the cluster's model registry, if a setting names it. Both at once."""
    questions = [_Question(one) for one in (_DATA, *([_MODELS] if settings().model_registry else []))]
    yield from (one.check() for one in questions)


class _Question:
    """A question to a store, in a thread, since one that is not there may keep silent for long."""

    def __init__(self, store: _Store) -> None:
        self._store = store
        self._found: list[Check] = []
        self._thread = threading.Thread(target=lambda: self._found.append(store.check()), daemon=True)
        self._thread.start()

    def check(self) -> Check:
        """What was found, within ``TIMEOUT``."""
        self._thread.join(TIMEOUT)
        if self._found:
            return self._found[0]
        silent = f"{self._store.setting} does not answer within {TIMEOUT:g} s"
        return Check(self._store.name, CheckOutcome.BAD, silent, self._store.fix(""))
