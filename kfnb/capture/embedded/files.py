"""How a step enters its own folder with the files that it reads, and leaves those that it wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def kfnb_copy(source: str, target: str) -> None:
    """Copy a file with its times and mode; as a clone that takes no space, where the file system supports it."""
    import os
    import shutil

    os.makedirs(os.path.dirname(target) or ".", exist_ok=True)
    try:
        from fcntl import ioctl

        with open(source, "rb") as old, open(target, "wb") as new:
            ioctl(new.fileno(), 0x40049409, old.fileno())  # FICLONE
    except (ImportError, OSError):
        shutil.copyfile(source, target)
    status = os.stat(source)
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
    os.chmod(target, status.st_mode | 0o600)


def kfnb_files_in(
    place: str, folders: Sequence[str], beside: Mapping[str, str], *earlier: Any
) -> tuple[str, str, dict[str, Any]]:
    """Enter the step's own folder, with the files that it reads; return the top, the folder, and the files in it.

    The folder is at ``place`` below the top, so that ``../data`` exists too. ``folders`` are created; ``beside`` are
    files of the notebook's folder with their content, packed, or the digest of a file that stays there; ``earlier``
    are artifacts with files by their paths: larger files of the notebook's folder, and what earlier steps left.
    """
    import base64
    import os
    import tempfile
    import zlib

    # where kfnb runs the step, its files are kept with the run
    notebook, own = os.environ.get("KFNB_FOLDER", ""), os.environ.get("KFNB_WORK", "")
    top = os.path.realpath(own or tempfile.mkdtemp(prefix="kfnb-"))
    os.makedirs(os.path.join(top, place), exist_ok=True)
    os.chdir(os.path.join(top, place))
    for folder in folders:
        os.makedirs(folder, exist_ok=True)
    for path, content in beside.items():
        source = os.path.join(notebook, path)
        if notebook and os.path.isfile(source):
            kfnb_copy(source, path)
        elif not content.startswith("sha256:"):
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
            with open(path, "wb") as file:
                file.write(zlib.decompress(base64.b64decode(content)))
    for artifact in earlier:
        if artifact is not None:
            kfnb_files_of(artifact, top)
    return top, os.getcwd(), kfnb_files_now(top)


def kfnb_start(begun: tuple[str, str, Any], folder: str) -> None:
    """Change to the folder in which the cell began: ``folder``, relative to the step's own."""
    import os

    os.chdir(os.path.join(begun[1], folder))


def kfnb_moved(value: Any, old: str, new: str) -> Any:
    """Move the paths in a value from ``old`` to ``new``: of a text, a path, or a list or dict of such."""
    import os
    from pathlib import PurePath

    if type(value) is str:
        # a step's own folder may be below the notebook's
        inside = (value + os.sep).startswith(old + os.sep) and not (value + os.sep).startswith(new + os.sep)
        return new + value[len(old) :] if inside else value
    if isinstance(value, PurePath):
        return type(value)(kfnb_moved(str(value), old, new))
    if type(value) in (list, tuple, set, frozenset):
        return type(value)(kfnb_moved(item, old, new) for item in value)
    if type(value) is dict:
        return {kfnb_moved(key, old, new): kfnb_moved(item, old, new) for key, item in value.items()}
    return value


def kfnb_files_of(artifact: Any, top: str) -> None:
    """Repeat in the working folder, and around it below ``top``, what an earlier step did in its own.

    These are its files, its folders, and its removals.
    """
    import json
    import os
    import tempfile

    # an artifact may come from anywhere: nothing outside of the two folders is written or removed
    temporary = os.path.realpath(tempfile.gettempdir()) + os.sep

    def inside(path: str) -> bool:
        return os.path.realpath(path).startswith(top + os.sep)

    for folder in json.loads(artifact.metadata.get("folders", "[]")):
        if inside(folder):
            os.makedirs(folder, exist_ok=True)
    for around, _, names in os.walk(artifact.path):
        for name in names:
            file_path = os.path.join(around, name)
            path = os.path.relpath(file_path, artifact.path)
            # temporary files keep their paths
            path = os.sep + path[len("absolute/") :] if path.startswith("absolute" + os.sep) else path
            path = os.sep.join(".." if part == "kfnb-parent" else part for part in path.split(os.sep))
            new = os.path.realpath(path).startswith(temporary) and not os.path.exists(path)
            if new if os.path.isabs(path) else inside(path):
                kfnb_copy(file_path, path)
    for path in kfnb_files_now(top).keys() & set(json.loads(artifact.metadata.get("removed", "[]"))):
        if path.endswith("/"):
            os.rmdir(path)
        else:
            os.remove(path)


def kfnb_files_now(top: str) -> dict[str, Any]:
    """The files below ``top``, by their paths from the working folder, with what shows whether each was changed.

    Empty folders end in ``/``.
    """
    import os

    inside = top + os.sep
    found = {}
    for around, folders, names in os.walk(os.path.relpath(top), followlinks=True):
        here = os.path.realpath(around) + os.sep
        # a link to a folder is followed within this one, and never in circles
        folders[:] = [
            name
            for name in folders
            if name != "__pycache__"
            and (
                not os.path.islink(os.path.join(around, name))
                or (
                    os.path.realpath(os.path.join(around, name)).startswith(inside)
                    and not here.startswith(os.path.realpath(os.path.join(around, name)) + os.sep)
                )
            )
        ]
        if here != os.getcwd() + os.sep and not folders and not names:
            found[os.path.relpath(around) + "/"] = (0, 0, 0)
        for name in names:
            path = os.path.relpath(os.path.join(around, name))
            if os.path.isfile(path):
                status = os.stat(path)
                found[path] = (status.st_mtime_ns, status.st_size, status.st_ino)
    return found


def kfnb_files_out(
    begun: tuple[str, str, Mapping[str, Any]], artifact: Any = None, temporary: Sequence[str] = ()
) -> None:
    """Move what the step wrote to an artifact, by its paths, record what it removed, and delete the rest.

    ``begun`` is the result of ``kfnb_files_in``, ``temporary`` are files that the step wrote outside of its folder.
    """
    import json
    import os
    import shutil

    top, folder, before = begun
    os.chdir(folder)
    now = kfnb_files_now(top)
    written = [path for path in now if before.get(path) != now[path]]
    folders = [path for path in written if path.endswith("/")]
    files = [path for path in written if not path.endswith("/")]
    if artifact is not None:

        def stored(path: str) -> str:
            parts = ["kfnb-parent" if part == ".." else part for part in path.split(os.sep)]
            return os.path.join(artifact.path, *parts)

        # the target of a link is copied before it is moved
        linked = [path for path in files if os.path.realpath(path) != os.path.abspath(path)]
        for path in linked:
            kfnb_copy(path, stored(path))
        for path in files:
            target = stored(path)
            if path not in linked:
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.move(path, target)
        for path in list(temporary):
            if os.path.isfile(path):
                kfnb_copy(path, os.path.join(artifact.path, "absolute", path.lstrip(os.sep)))
        os.makedirs(artifact.path, exist_ok=True)
        # texts: KFP wraps lists in metadata
        gone = [path for path in before if path not in now and not os.path.isdir(path)]
        artifact.metadata["removed"] = json.dumps(gone)
        artifact.metadata["folders"] = json.dumps(folders)
        artifact.metadata["files"] = len(files)
    for path in now:
        if path not in written and not path.endswith("/") and os.path.lexists(path):
            os.remove(path)


def kfnb_temporary(top: str) -> list[str]:
    """The temporary files outside of ``top`` that are opened for writing from now on; the list grows."""
    import os
    import sys
    import tempfile

    found: list[str] = []
    temporary = os.path.realpath(tempfile.gettempdir()) + os.sep

    def hook(event: str, arguments: Any) -> None:
        if event == "open" and isinstance(arguments[0], str) and arguments[2] & (os.O_WRONLY | os.O_RDWR):
            path = os.path.realpath(arguments[0])
            if path.startswith(temporary) and not path.startswith(top + os.sep) and path not in found:
                found.append(path)

    sys.addaudithook(hook)
    return found
