"""The environment variables of a component, set in the kernel while its cell runs, with the values of its step."""

from __future__ import annotations

import os
from collections.abc import Mapping

from kfnb import settings
from kfnb.capture.pod import PodSettings
from kfnb.diagnostics import hide, logger, where
from kfnb.errors import CaptureError
from kfnb.resources.runs.local.secret_store import Secrets

_logger = logger(__package__)


class Environment:
    """Variables that are set until ``restore``, which brings the former values back."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._before = {name: os.environ.get(name) for name in values}
        os.environ.update(values)

    def restore(self) -> None:
        """Restore the former values. Further calls do nothing."""
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        self._before = {}


def values_of(pod: PodSettings) -> dict[str, str]:
    """The variables of a pod that are known here: secrets and config maps come from the setting ``secrets``.

    Raises ``CaptureError`` where the folder or file of the setting cannot be read.
    """
    values = {variable.name: variable.value for variable in pod.env}
    store = Secrets(settings.settings().secrets)
    for held in pod.keys:
        try:
            found = store.find(held.source) or {}
        except Exception as error:  # the store's error names the file
            _logger.debug("The secret or config map %s cannot be read.\n%s", held.source, where(error))
            raise CaptureError(f"{error}") from None
        if held.key in found:
            values[held.name] = found[held.key].decode(errors="surrogateescape")
            hide(values[held.name])
    return values
