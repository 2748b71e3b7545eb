"""The package that a step must install for an imported module, pinned to the kernel's version."""

from __future__ import annotations

import sys
from functools import lru_cache
from importlib import metadata, util
from pathlib import Path

from kfnb.errors import CaptureError


def is_standard(module: str) -> bool:
    """Whether a module belongs to Python itself."""
    return module.partition(".")[0] in sys.stdlib_module_names or module.partition(".")[0] == "__main__"


def requirement_for(module: str) -> str | None:
    """The pinned requirement that provides ``module``, or None when Python or kfp itself does.

    Raises ``CaptureError`` when no installed package does.
    """
    if is_standard(module):
        return None
    owners = _owners(module)
    if not owners:
        raise CaptureError(
            f"{module} does not belong to an installed package:",
            hint="install it, name its package with --package, or put it beside the notebook",
            ref=module,
        )
    name = owners[0]
    if name.lower() in {"kfp", "kfnb"}:
        return None  # every KFP step has kfp; kfnb is not needed in a step
    return f"{name}=={_version(name, _installed())}"


def _owners(module: str) -> list[str]:
    root = module.partition(".")[0]
    owners = list(dict.fromkeys(_distributions(_installed()).get(root, [])))
    if len(owners) <= 1:
        return owners
    # a namespace shared by several packages (google.*): the one that has the module's own files
    parts = module.replace(".", "/")
    return [name for name in owners if _has_file(name, parts)] or owners


def _has_file(name: str, parts: str) -> bool:
    files = metadata.files(name) or []
    return any(str(file).startswith((f"{parts}/", f"{parts}.")) for file in files)


Stamp = tuple[tuple[str, int], ...]


def _installed() -> Stamp:
    """The times of the folders that modules come from, which change when a package is installed or removed."""
    folders = [Path(folder) for folder in sys.path]
    return tuple((str(folder), folder.stat().st_mtime_ns) for folder in folders if folder.is_dir())


@lru_cache(maxsize=1)
def _distributions(_stamp: Stamp) -> dict[str, list[str]]:
    if sys.version_info >= (3, 11):
        return dict(metadata.packages_distributions())
    found: dict[str, list[str]] = {}
    for distribution in metadata.distributions():
        for module in _modules_of(distribution):
            found.setdefault(module, []).append(distribution.metadata["Name"])
    return found


def _modules_of(distribution: metadata.Distribution) -> set[str]:
    """The top-level modules of a distribution; Python 3.10 finds only those that the package itself lists."""
    listed = distribution.read_text("top_level.txt")
    if listed:
        return set(listed.split())
    code = [file for file in distribution.files or [] if file.suffix in {".py", ".so", ".pyd"}]
    return {file.parts[0] if len(file.parts) > 1 else file.name.partition(".")[0] for file in code}


@lru_cache(maxsize=256)
def _version(name: str, _stamp: Stamp) -> str:
    return metadata.version(name).partition("+")[0]  # indexes do not have local versions (+cu121)


def root_of(module: str, folder: Path) -> Path | None:
    """The notebook's folder from which a module is imported: beside the notebook, or on ``sys.path``."""
    root = module.partition(".")[0]
    folders = [folder, *(path for entry in sys.path if (path := _own(entry, folder)) is not None)]
    return next(
        (one for one in folders if (one / f"{root}.py").is_file() or (one / root / "__init__.py").is_file()),
        None,
    )


def _own(entry: str, folder: Path) -> Path | None:
    """Whether the notebook has added an entry of ``sys.path``: a relative path, or a path below its folder."""
    path = Path(entry)
    if not entry or "site-packages" in path.parts or "dist-packages" in path.parts:
        return None
    if not path.is_absolute():
        return path
    return path if path.is_relative_to(folder) and not path.is_relative_to(sys.prefix) else None


def beside(module: str, folder: Path) -> Path | None:
    """The file or folder of a module of the notebook, or None."""
    name, root = module.partition(".")[0], root_of(module, folder)
    if root is None:
        return None
    return root / f"{name}.py" if (root / f"{name}.py").is_file() else root / name


def is_local(module: str, folder: Path) -> bool:
    """Whether a module is the notebook's, and not another of the same name that precedes it."""
    root, loaded = root_of(module, folder), sys.modules.get(module.partition(".")[0])
    if root is None or loaded is None:
        return root is not None and not is_standard(module)
    file = getattr(loaded, "__file__", None)
    return file is not None and Path(file).resolve().is_relative_to(root.resolve())


def is_installed(module: str) -> bool:
    """Whether a module can be imported here."""
    try:
        return util.find_spec(module.partition(".")[0]) is not None
    except (ImportError, ValueError):
        return False
