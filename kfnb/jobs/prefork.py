"""A finished driver waits for some minutes, and the next driver is forked from it, with every library imported.

It is used only where nothing can differ: same interpreter, environment variables, limits and installed packages (the
socket is named by their hash), and no file of an imported module changed. Linux only; if any check fails, the next
driver is started fresh. The socket is in a folder that only its user can access.

What it gains: for a pipeline of one step that imports scikit-learn, ten runs in a row took 27 to 83 s without and
1.2 to 7.7 s with it; with nine steps, 28 to 103 s and 6 to 24 s (two cores, with varying load). A fork server that
imports given modules is as fast, but has to know them: here, the last run has imported them.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import select
import signal
import site
import socket
import struct
import sys
import sysconfig
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from kfnb.jobs import private, system
from kfnb.jobs.folder import JobFolder
from kfnb.jobs.process_spec import TAG

WAITS = "kfnb prefork"
"""The tag of a waiting process."""
_VOLATILE = frozenset({TAG, "_", "PWD", "OLDPWD", "SHLVL"})
_FOLDER = "warm"
_TIMEOUT = 0.5
"""Seconds that a waiting process may take to answer; after that, a fresh process is quicker."""

_CHECK_EVERY = 5.0
"""Seconds between checks whether the socket still exists."""

Request = tuple[Path, int]
"""The folder of the job to drive, and its lock."""


def key(environ: Mapping[str, str]) -> str:
    """The name of the socket of a process started in the same way as one with ``environ`` would be now."""
    import resource

    known = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), site.getusersitepackages()}
    sites = [Path(folder) for folder in sorted(known) if Path(folder).is_dir()]
    facts = [
        [sys.executable, sys.version, __file__],
        sorted((name, value) for name, value in environ.items() if name not in _VOLATILE),
        [resource.getrlimit(kind) for kind in (resource.RLIMIT_AS, resource.RLIMIT_NOFILE)],
        [(str(folder), folder.stat().st_mtime_ns) for folder in sites],
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:24]


def waits(home: Path, environ: Mapping[str, str]) -> bool:
    """Whether a process started in the same way as one with ``environ`` would be now waits in ``home``."""
    return (home / _FOLDER / key(environ)).exists()


def take_over(home: Path, folder: JobFolder, lock: int, environ: Mapping[str, str]) -> bool:
    """Let a fork of a waiting process drive the job in ``folder``; False if none takes it."""
    if not system.here().PREFORKS:
        return False
    try:
        place = os.open(_place(home), os.O_RDONLY)
        with (
            closing(socket.socket(socket.AF_UNIX)) as line,
            open(folder.driver_log, "ab", opener=private.opener) as log,
        ):
            line.settimeout(_TIMEOUT)
            try:
                # a socket's path has 107 bytes at most
                line.connect(f"/proc/self/fd/{place}/{key(environ)}")
            finally:
                os.close(place)
            socket.send_fds(line, [str(folder.path).encode()], [lock, log.fileno()])
            if line.recv(1) != b"?":
                return False
            line.sendall(b"!")
            return True
    except OSError:
        return False


@dataclass
class Prefork:
    """What this process, a driver, was when it began: ``name`` by ``key``, at ``since`` (epoch seconds).

    ``known`` are the modules that it was forked with, empty if it was started fresh.
    """

    name: str = field(default_factory=lambda: key(os.environ) if system.here().PREFORKS else "")
    since: float = field(default_factory=time.time)
    known: frozenset[str] = frozenset()

    def wait(self, home: Path, seconds: float) -> Request | None:
        """Wait ``seconds`` for each further job. A fork gets the job; this process gets None at the end."""
        if self.known >= sys.modules.keys():
            return None  # the process that this one was forked from has the same modules, and still waits
        if not system.here().PREFORKS or seconds <= 0:
            return None
        system.here().claim(WAITS)
        files = _files()
        if any(changed > self.since * 1e9 for changed in files.values()):
            return None
        with suppress(OSError):
            return self._serve(_place(home), seconds, files)
        return None

    def _serve(self, place: Path, seconds: float, files: Mapping[str, int]) -> Request | None:
        """Answer at the socket as long as requests arrive and nothing has changed."""
        for number in (signal.SIGTERM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        gc.freeze()
        here, name = os.open(place, os.O_RDONLY), place / self.name
        try:
            with closing(socket.socket(socket.AF_UNIX)) as door:
                draft = f".{os.getpid()}"
                door.bind(f"/proc/self/fd/{here}/{draft}")
                door.listen()
                (place / draft).rename(name)  # a process that waited there notices, and exits
                mine = _inode(name)
                while self._has_request(door, name, mine, seconds):
                    with closing(door.accept()[0]) as line:
                        if not _is_ours(line) or _files(files) != files:
                            break
                        request = _answer(line)
                        if request is not None:
                            self.known = frozenset(sys.modules)
                            return request
                if _inode(name) == mine:
                    name.unlink(missing_ok=True)
                return None
        finally:
            os.close(here)

    def _has_request(self, door: socket.socket, name: Path, mine: int, seconds: float) -> bool:
        """Wait for a request; False if none arrives, or if the socket no longer exists."""
        until = time.monotonic() + seconds
        while _inode(name) == mine and time.monotonic() < until:
            if select.select([door], [], [], min(seconds, _CHECK_EVERY))[0]:
                return True
        return False


def _answer(line: socket.socket) -> Request | None:
    """Fork a driver for the requested job: return the request in the fork, None here."""
    line.settimeout(_TIMEOUT)
    path, given, _, _ = socket.recv_fds(line, 4096, 2)
    if len(given) == 2:  # noqa: PLR2004 - the lock and the log
        child = os.fork()
        if child == 0:
            return _born(line, Path(path.decode()), *given)
        os.waitpid(child, 0)
    for file in given:
        os.close(file)
    return None


def _born(line: socket.socket, path: Path, lock: int, log: int) -> Request:
    """In the fork: become an independent process, with the job's log, if the job is still wanted."""
    try:
        os.setsid()
        if os.fork():
            os._exit(0)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(source, target)
        os.close(nothing)
        os.close(log)
        line.sendall(b"?")
        line.settimeout(
            None
        )  # who has an answer sends one or closes: after a while, it could be sent to no one
        if line.recv(1) != b"!":
            os._exit(0)
    except OSError:
        os._exit(1)
    return path, lock


def _place(home: Path) -> Path:
    place = home / _FOLDER
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = place.stat()
    if status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise PermissionError(f"{place} can be accessed by other users")
    return place


def _is_ours(line: socket.socket) -> bool:
    peer = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return bool(struct.unpack("3i", peer)[1] == os.geteuid())


def _inode(name: Path) -> int:
    try:
        return name.stat().st_ino
    except OSError:
        return -1


def _files(known: Mapping[str, int] | None = None) -> dict[str, int]:
    """The files of all imported modules (or those ``known``), and when they were changed; -1: deleted."""
    names = known or {str(file) for module in list(sys.modules.values()) if (file := _file_of(module))}
    return {name: _changed(name) for name in names}


def _file_of(module: object) -> object:
    return getattr(module, "__dict__", {}).get("__file__")


def _changed(name: str) -> int:
    try:
        return Path(name).stat().st_mtime_ns
    except OSError:
        return -1
