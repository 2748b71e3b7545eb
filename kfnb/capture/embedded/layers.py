"""The layers of a manifest below the model, as they are in this process: Python's own library alone reads them."""

from __future__ import annotations

from typing import Any

from kfnb.capture.embedded.libraries import kfnb_blas, kfnb_drivers_layer, kfnb_nvml, kfnb_open_nvml
from kfnb.capture.embedded.machine import (
    kfnb_file_system,
    kfnb_hardware_layer,
    kfnb_os_layer,
    kfnb_runtime_layer,
    kfnb_tooling_layer,
)
from kfnb.capture.embedded.packages import kfnb_installed_packages, kfnb_kept_packages


def kfnb_layers(store: str = "") -> dict[str, Any]:
    """Each layer with its facts, as a manifest has them.

    The packages are listed, or kept in the folder ``store`` and named by their digest. What cannot be read is hidden,
    with why: recording must not fail what it records.
    """
    layers: dict[str, Any] = {}

    def add(layer: str, read: Any, *given: Any) -> Any:
        own = layers.setdefault(layer, {"facts": {}})
        try:
            found = read(*given)
        except Exception as error:
            own.setdefault("hidden", {})[read.__name__[5:]] = type(error).__name__
            return {}
        own["facts"].update(found)
        return found

    def packages() -> dict[str, Any]:
        return (
            {"packages_digest": kfnb_kept_packages(store)}
            if store
            else {"packages": kfnb_installed_packages()}
        )

    add("tooling", kfnb_tooling_layer)
    add("framework", packages)
    blas = add("framework", kfnb_blas)
    add("storage", lambda: {"filesystem": kfnb_file_system()})
    add("runtime", kfnb_runtime_layer)
    nvml: dict[str, Any] = {}
    add(
        "accelerator",
        lambda: (
            nvml.update(kfnb_nvml(kfnb_open_nvml()))
            or {"devices": nvml.get("devices", []), "count": len(nvml.get("devices", []))}
        ),
    )
    add("drivers", kfnb_drivers_layer, nvml)
    add("os", kfnb_os_layer)
    add("hardware", kfnb_hardware_layer)
    layers["hardware"]["facts"]["blas_kernel"] = layers["framework"]["facts"].pop(
        "blas_kernel", blas.get("blas_kernel")
    )
    return layers


def kfnb_record(packages: str, folder: str, file: str) -> None:
    """Record the layers of this process, under their digest in ``folder``, and the digest in ``file``.

    Tasks that have the same layers share a file. ``packages`` is the folder of ``kfnb_kept_packages``.
    """
    import json
    import os
    from hashlib import sha256

    def keep(path: str, content: str) -> None:
        draft = f"{path}.{os.getpid()}"
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as new:
            new.write(content)
        os.replace(draft, path)

    text = json.dumps(kfnb_layers(packages), sort_keys=True)
    digest = sha256(text.encode()).hexdigest()
    os.makedirs(folder, mode=0o700, exist_ok=True)
    place = os.path.join(folder, f"{digest}.json")
    if not os.path.exists(place):
        keep(place, text)
    keep(file, digest)
