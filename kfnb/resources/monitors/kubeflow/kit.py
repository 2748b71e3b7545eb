"""The kit of a monitor: a zip file with the program of its pods, and what they compare requests with.

Pods need Python and the packages of ``PACKAGES``, and not kfnb: the modules that check here are in the kit.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path

from kfnb.resources.monitors.engine import MonitorPlan
from kfnb.resources.monitors.kubeflow.pod import ABOUT, MODEL
from kfnb.resources.services.kserve.request_log import LogFolder
from kfnb.server.deployment import pinned
from kfnb.server.standalone import standalone_modules

PLACES = {"kfnb": "kfnb_monitor"}
"""The package of the program in the kit: its modules are not those of a kfnb that a pod's image may have."""
PACKAGES = ("numpy", "obstore", "pandas", "pyarrow")
_MODEL_FILES = ("kfnb_model.json", "sample.json")
_OLDEST = (1980, 1, 1, 0, 0, 0)
"""The time of all files in the kit, so that the same kit has the same digest."""


def requirements() -> list[str]:
    """What pods install, in the versions that are installed here."""
    return [pinned(one) for one in PACKAGES]


def kit_of(plan: MonitorPlan, model: Path, log: LogFolder, on_bad_input: str) -> tuple[str, bytes]:
    """The name of a kit, which has its digest, and its bytes; ``model`` is the folder of the model that is served."""
    about = {
        "spec": asdict(plan.spec),
        "reference": asdict(plan.reference),
        "log": asdict(log),
        "on_bad_input": on_bad_input,
    }
    files = {
        f"{MODEL}/{name}": (model / name).read_text(encoding="utf-8")
        for name in _MODEL_FILES
        if (model / name).exists()
    }
    content = _zipped({**_program(), ABOUT: json.dumps(about, default=str), **files})
    return f"kit-{hashlib.sha256(content).hexdigest()}.zip", content


@cache
def _program() -> Mapping[str, str]:
    """The files of the program."""
    modules = standalone_modules(["kfnb.resources.monitors.kubeflow.pod"], PLACES)
    files = {f"{name.replace('.', '/')}.py": text for name, text in modules.items()}
    folders = {parent for name in files for parent in Path(name).parents if parent.name}
    return {**{f"{folder.as_posix()}/__init__.py": "" for folder in sorted(folders)}, **files}


def _zipped(files: Mapping[str, str]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, _OLDEST), text, zipfile.ZIP_DEFLATED)
    return target.getvalue()
