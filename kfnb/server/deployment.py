"""The deployment folder: a model folder with the program that serves it, the same bytes here and on a cluster."""

from __future__ import annotations

import json
import re
import shutil
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from kfnb.server.standalone import standalone_modules, write_modules

PROGRAM = "serve.py"
PACKAGE = "kfnb_server"
"""The package beside the program: the modules of this one that it needs, and those of ``capture.embedded``."""

_ENTRY = '''"""Serve the model in this folder: python serve.py --help."""

import sys
from pathlib import Path

from kfnb_server.main import main

if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parent))
'''
_PLACES = {"kfnb.server": PACKAGE, "kfnb.capture.embedded": f"{PACKAGE}.embedded"}
"""Where the modules of a package of kfnb are in the folder."""
_OWN = ("httptools", "numpy")
"""Packages that the program itself needs."""
_OF_FORMATS = {"onnx": "onnxruntime"}
_OF_KINDS = {"polars.DataFrame": "polars", "numpy.ndarray": "", "builtins.list": ""}
"""The package of the rows that a model takes; pandas for any other."""


def write(model_folder: Path, target: Path) -> None:
    """Write the deployment folder of a model folder into the empty or new folder ``target``. Raises ``OSError``."""
    shutil.copytree(model_folder, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    (target / PROGRAM).write_text(_ENTRY, encoding="utf-8")
    write_modules(program_modules(), target)
    facts = json.loads((model_folder / "kfnb_model.json").read_text(encoding="utf-8"))
    given = model_folder / "requirements.txt"
    lines = given.read_text(encoding="utf-8").splitlines() if given.exists() else []
    (target / "requirements.txt").write_text(
        "".join(f"{one}\n" for one in requirements(lines, facts)), encoding="utf-8"
    )


def program_modules() -> dict[str, str]:
    """The modules that the program needs, by their names in the folder."""
    return standalone_modules(["kfnb.server.main"], _PLACES)


def requirements(lines: list[str], facts: dict[str, object]) -> list[str]:
    """A model's requirements, and those of the program that they lack, in the versions that are installed here."""
    names = {re.split(r"[^\w.-]", line.strip(), maxsplit=1)[0].lower().replace("_", "-") for line in lines}
    sample = facts.get("sample")
    kind = str(sample.get("kind", "")) if isinstance(sample, dict) else ""
    needed = [*_OWN, _OF_KINDS.get(kind, "pandas"), _OF_FORMATS.get(str(facts.get("format")), "")]
    return [*lines, *(pinned(one) for one in needed if one and one not in names)]


def pinned(package: str) -> str:
    """A requirement of the installed version; of any if it is not installed."""
    try:
        return f"{package}=={version(package)}"
    except PackageNotFoundError:
        return package
