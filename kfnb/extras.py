"""Optional packages: each belongs to an extra of kfnb, and is imported only after ``require`` has found it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

from kfnb.errors import MissingExtra

PACKAGES: Mapping[str, tuple[str, str]] = {
    "cmaes": ("cmaes", "tune"),
    "deltalake": ("deltalake", ""),
    "grpc": ("grpcio", "cluster"),
    "httptools": ("httptools", "serve"),
    "huggingface_hub": ("huggingface-hub", "models"),
    "obstore": ("obstore", "cluster"),
    "optuna": ("optuna", "tune"),
    "pandas": ("pandas", ""),
    "pyarrow": ("pyarrow", "data"),
    "pyiceberg": ("pyiceberg", ""),
    "safetensors": ("safetensors", "models"),
    "scipy": ("scipy", "tune"),
    "skops": ("skops", "models"),
}
"""For each optional module: its package, and the extra that installs the package; empty for none."""


def require(module: str, what: str) -> None:
    """Raise ``MissingExtra`` unless an optional module, which ``what`` needs, is installed.

    The module is not imported: Optuna alone takes half a second, and another process uses it.
    """
    if find_spec(module) is not None:
        return
    package, extra = PACKAGES[module]
    install = f"'kfnb[{extra}]'" if extra else package
    raise MissingExtra(f"{what} needs {package}:", hint=f"pip install {install}", ref=package)
