"""The environment variables of a component, in the kernel while its cell runs: it reads here what it will there."""

from __future__ import annotations

import os
from collections.abc import Mapping

from kfnb import settings
from kfnb.capture.pod import PodSettings
from kfnb.diagnostics import hide, logger, where
from kfnb.errors import CaptureError
from kfnb.secret_store import Secrets, SecretsUnreadable

_logger = logger(__package__)


class Environment:
    """Variables that are set now, and put back as they were by ``restore``."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._before = {name: os.environ.get(name) for name in values}
        os.environ.update(values)

    def restore(self) -> None:
        """Put back what was before; again does nothing."""
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        self._before = {}


def values_of(pod: PodSettings) -> dict[str, str]:
    """The variables that a pod asks for and that are known here: secrets and config maps by the setting ``secrets``.

    Raises ``CaptureError`` where what the setting names cannot be read.
    """
    values = {variable.name: variable.value for variable in pod.env}
    store = Secrets(settings.settings().secrets)
    for held in pod.keys:
        try:
            found = store.find(held.source) or {}
        except SecretsUnreadable as error:  # the error names the file
            _logger.debug("The secret or config map %s cannot be read.\n%s", held.source, where(error))
            raise CaptureError(f"{error}") from None
        if held.key in found:
            values[held.name] = found[held.key].decode(errors="surrogateescape")
            hide(values[held.name])
    return values
