"""The logger of an InferenceService, as far as it logs to an object store that is read here."""

from __future__ import annotations

from kfnb.errors import UsageError
from kfnb.remote.kubernetes.fields import Item, at
from kfnb.remote.objects import ObjectAddress
from kfnb.resources.services.kserve.request_log import LogFolder

_JSON = "json"
_LABELS = "kfnb-labels"
"""The folder of labels in that of the log, which has a folder for each namespace."""


def log_of(item: Item, below: str, service: str) -> LogFolder:
    """Where KServe's logger puts the events of an InferenceService; ``below`` is its folder, ``service`` the store's.

    Raises ``UsageError`` if it logs nothing, not everything, to no store, or in another form than JSON.
    """
    name = below.rpartition("/")[2]
    url = str(at(item, "spec", "predictor", "logger", "url") or "")
    storage = at(item, "spec", "predictor", "logger", "storage")
    mode = at(item, "spec", "predictor", "logger", "mode") or "all"
    if not url or not isinstance(storage, dict):
        raise _not_logged(f"service {name} does not log its requests to an object store", name)
    if mode != "all":
        raise _not_logged(f"service {name} logs {mode}s alone", name)
    form = (storage.get("parameters") or {}).get("format", _JSON)
    if form != _JSON or at(item, "spec", "predictor", "logger", "marshallerUrl"):
        raise _not_logged(f"service {name} logs its requests in another form than JSON", name)
    address = ObjectAddress.parse(url.rstrip("/"))
    if address.service != service:
        raise _not_logged(f"service {name} logs to {url}, another store than that of runs", name)
    return LogFolder(f"{address.path}/{below}", labels=f"{address.path}/{_LABELS}/{below}")


def _not_logged(message: str, name: str) -> UsageError:
    hint = "docs/monitoring.md tells of the logger that a monitor on a cluster reads"
    return UsageError(f"{message}:", hint=hint, ref=name)
