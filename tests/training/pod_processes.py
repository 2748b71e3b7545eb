"""Pods as processes of this machine: their files, their DNS, their output and their end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

_POD = '''
"""The file system and the DNS of a pod."""
import os, pathlib, socket
write, MESSAGE = pathlib.Path.write_text, "/dev/termination-log"
read, ACCOUNT = pathlib.Path.read_text, "/var/run/secrets/kubernetes.io/serviceaccount/"
def write_text(path, *words, **options):
    return write(pathlib.Path(os.environ["TERMINATION_LOG"]) if str(path) == MESSAGE else path, *words, **options)
pathlib.Path.write_text = write_text
def read_text(path, *words, **options):
    return read(pathlib.Path(str(path).replace(ACCOUNT, os.environ.get("ACCOUNT", "") + "/")), *words, **options)
pathlib.Path.read_text = read_text
resolve = socket.gethostbyname
socket.gethostbyname = lambda host: "127.0.0.1" if "-node-0-" in host else resolve(host)
'''


def now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def account_at(folder: Path, url: str, ca: str, token: str, namespace: str) -> dict[str, str]:
    """Write a service account as pods have it into a folder; the variables of a pod with it."""
    folder.mkdir()
    for name, text in {"ca.crt": ca, "token": token, "namespace": namespace}.items():
        (folder / name).write_text(text)
    host, _, port = url.partition("://")[2].rpartition(":")
    return {"ACCOUNT": str(folder), "KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port}


class PodProcess:
    """A pod's container. ``lines`` are what it wrote, with the times; ``code`` is its exit code, None while it runs."""

    def __init__(self, words: Sequence[str], environment: dict[str, str], home: Path) -> None:
        self.lines: list[tuple[str, str]] = []
        self.code: int | None = None
        self._message = home / "message"
        self._process = subprocess.Popen(
            words,
            env={**environment, "TERMINATION_LOG": str(self._message)},
            cwd=home,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for line in output:
                self.lines.append((now(), line.decode(errors="replace").rstrip("\n")))
                time.sleep(1e-5)  # no two lines have one time
        code = self._process.wait()
        self.code = code if code >= 0 else 128 - code

    def terminate(self) -> None:
        """Ask it to end, as a kubelet does."""
        with suppress(ProcessLookupError):
            self._process.terminate()

    def kill(self) -> None:
        """End it and all that it started."""
        mark = f"TERMINATION_LOG={self._message}".encode()
        for folder in Path("/proc").glob("[0-9]*"):  # what it started may be in sessions of its own
            with suppress(OSError):
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    os.kill(int(folder.name), signal.SIGKILL)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._thread.join(5)

    def ended(self) -> dict[str, Any]:
        """How it ended, as a kubelet writes it."""
        killed = self._process.returncode == -signal.SIGKILL
        return {
            "exitCode": self.code,
            "reason": "OOMKilled" if killed else "Error" if self.code else "Completed",
            "message": self._message.read_text() if self._message.exists() else "",
            "finishedAt": now(),
        }


class PodProcesses:
    """Starts pods in a ``folder``: ``python3`` is this Python, and pip installs nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._programs = folder / "programs"
        self._programs.mkdir(parents=True)
        (self._programs / "sitecustomize.py").write_text(_POD)
        for name in ("python3", "pip"):
            file = self._programs / name
            file.write_text(f'#!/bin/sh\n[ "$1 $2" = "-m pip" ] && exit 0\nexec {sys.executable} "$@"\n')
            file.chmod(0o755)

    def start(self, name: str, words: Sequence[str], environment: dict[str, str]) -> PodProcess:
        """Start a pod's container."""
        home = self.folder / name
        home.mkdir()
        paths = {"PATH": f"{self._programs}:{os.environ['PATH']}", "PYTHONPATH": str(self._programs)}
        return PodProcess(words, {**paths, "HOME": str(home), "TMPDIR": str(home), **environment}, home)
