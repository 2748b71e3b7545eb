"""``kf.checkpoint`` and ``kf.resume``: what a training saves, and from where it continues after a restart."""

from __future__ import annotations

from typing import Any


def kfnb_checkpoint(step: int) -> Any:
    """``with kf.checkpoint(step) as folder``: a folder to save into, which is a checkpoint once the block has ended.

    That of rank 0 is kept, the newest two and that which was resumed; the folders of other ranks are removed, so that
    all ranks may run the same code. ``step`` is a number from 0 on.
    """
    import os
    import shutil
    import tempfile
    from contextlib import contextmanager
    from pathlib import Path

    number = int(step)
    if number < 0:
        raise ValueError(f"kf.checkpoint({step!r}): give the number of the step, from 0 on")

    @contextmanager
    def saving() -> Any:
        root = kfnb_checkpoints()
        root.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".saving-", dir=root))
        try:
            yield folder
            if os.environ.get("KFNB_RANK", "0") == "0":
                target = root / f"{number:010d}"
                if target.exists():
                    os.replace(target, folder / ".replaced")
                os.replace(folder, target)
                shutil.rmtree(target / ".replaced", ignore_errors=True)
                for old in kfnb_complete(root)[:-2]:
                    if old.name != os.environ.get("KFNB_RESUME"):
                        shutil.rmtree(old, ignore_errors=True)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    return saving()


def kfnb_resume() -> Any:
    """``kf.resume()``: the folder of the newest checkpoint, named by its step; None where there is none.

    All ranks resume the one that was the newest when they were started: one of them may be late.
    """
    import os

    root = kfnb_checkpoints()
    name = os.environ.get("KFNB_RESUME", kfnb_newest())
    return root / name if name and (root / name).is_dir() else None


def kfnb_newest() -> str:
    """The name of the newest checkpoint; empty where there is none."""
    found = kfnb_complete(kfnb_checkpoints())
    return str(found[-1].name) if found else ""


def kfnb_complete(root: Any) -> list[Any]:
    """The folders of all checkpoints that are complete, the newest last."""
    return sorted(one for one in root.glob("[0-9]*") if one.is_dir())


def kfnb_checkpoints() -> Any:
    """The folder of the checkpoints: where the step's engine, or the user, keeps it, or else a temporary one."""
    import os
    import tempfile
    from pathlib import Path

    if not os.environ.get("KFNB_CHECKPOINTS"):
        os.environ["KFNB_CHECKPOINTS"] = tempfile.mkdtemp(prefix="kfnb-checkpoints-")
    return Path(os.environ["KFNB_CHECKPOINTS"])
