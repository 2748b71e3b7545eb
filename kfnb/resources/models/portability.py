"""What the file of a model refers to that another process does not have: names of the notebook and its modules."""

from __future__ import annotations

import pickletools
from collections.abc import Iterator
from pathlib import Path

from kfnb.capture.packages import is_local, requirement_for
from kfnb.errors import CaptureError
from kfnb.extras import require


def remark_on(folder: Path, form: str) -> str:
    """What whoever saves a model should know of it: that it is loaded here alone; empty if it is not."""
    lost = [one for one in sorted(set(_names_in(folder, form))) if _is_lost(one)]
    if not lost:
        return ""
    return (
        f"the model refers to {', '.join(lost[:5])}, which this notebook alone has: the model cannot be served, nor"
        f" loaded elsewhere; install a package that has it, or {_BY_VALUE[form]}"
    )


def _is_lost(name: str) -> bool:
    """Whether a name is of the notebook, or of a module beside it that belongs to no package."""
    if name.startswith("__main__.") or not is_local(name, Path.cwd()):
        return name.startswith("__main__.")
    try:
        requirement_for(name)
    except CaptureError:
        return True
    return False


_BY_VALUE = {
    "skops": "save the model with pickle=True instead of trust, which keeps what the notebook defines",
    "pickle": "call cloudpickle.register_pickle_by_value(module) before the model is saved",
}


def _names_in(folder: Path, form: str) -> Iterator[str]:
    """The names in a model file that are looked up when it is loaded, with their modules."""
    if form == "skops":
        require("skops", "a scikit-learn model")
        from skops.io import get_untrusted_types

        yield from get_untrusted_types(file=folder / "model.skops")
    elif form == "pickle":
        yield from _names_in_pickle((folder / "model.pkl").read_bytes())


def _names_in_pickle(data: bytes) -> Iterator[str]:
    """The classes and functions that a pickle names. Nothing is unpickled."""
    memo: list[str] = []
    pushed = [""]
    for code, argument, _ in pickletools.genops(data):
        if code.name == "GLOBAL":
            yield str(argument).replace(" ", ".")
        elif code.name == "STACK_GLOBAL":
            yield ".".join(pushed[-2:])
        elif code.name == "MEMOIZE":
            memo.append(pushed[-1])
        elif code.name in ("BINGET", "LONG_BINGET"):
            pushed.append(memo[int(str(argument))])
        elif code.name in ("FRAME", "PROTO"):
            continue
        else:
            pushed.append(argument if isinstance(argument, str) else "")
