"""The errors of KFP's and Argo's programs, as plain messages.

Around a step's program run a driver that prepares it, a launcher, and Argo's executor. They are written in Go: an error
is wrapped in those of all functions that it passed, with the first cause at its end.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kfnb.remote.kubernetes.pods import brief

_FATAL = re.compile(r"F\d{4} \S+ +\d+ \S+\] (?P<text>.+)")
_PANIC = re.compile(r"panic: (?P<text>.+)")
_DRIVER = re.compile(r"(?:KFP driver: )?driver\.\w+\(.*?\) failed: ")
_LAUNCHER = re.compile(r"(?:failed to execute component: )+")
_UNWRITTEN = re.compile(
    r"failed to read output parameter name=\"(?P<name>[^\"]+)\".*: no such file or directory$"
)
_STATUS = re.compile(r"(?:exit status \d+|signal: .+)$")
_EXECUTOR = re.compile(
    r"time=\S+ level=(?:error|fatal) .*?(?:error=(?:\"(?P<quoted>(?:[^\"\\]|\\.)*)\"|(?P<word>\S+))|$)",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"(?:Error|error|fatal|panic): (?P<text>.+)")
_RPC = re.compile(r"rpc error: code = (?P<code>\w+) desc = (?P<detail>.+)$")
_ADDRESS = re.compile(
    r"dial tcp: lookup (?P<name>\S+)(?: on \S+)?: (?P<unknown>[^\"]+)|"
    r"dial tcp (?P<address>\S+:\d+): (?P<why>[^\"]+)"
)
_SILENT = ("Unavailable", "DeadlineExceeded")
"""gRPC's codes for a server that did not answer."""
_KFP = re.compile(r"failed to (?:list|create) tasks?: |//ml-pipeline|lookup ml-pipeline")
"""Distinguishes the pipelines' API server from ML Metadata, the other gRPC server."""


def by_driver(lines: Sequence[str]) -> str:
    """Why the driver failed; empty without a message."""
    panic = next((found["text"] for line in lines if (found := _PANIC.match(line))), "")
    return brief(f"KFP's driver crashed: {panic}") if panic else _plain(_DRIVER.sub("", _fatal(lines)))


def by_launcher(lines: Sequence[str]) -> str:
    """Why the launcher failed; empty if it did not, or only because the step's program failed."""
    message = _LAUNCHER.sub("", _fatal(lines))
    return "" if _STATUS.search(message) else _plain(message)


def unwritten(lines: Sequence[str]) -> str:
    """The output that the launcher did not find after the program succeeded, as after ``sys.exit(0)``."""
    found = _UNWRITTEN.search(_fatal(lines))
    return found["name"] if found else ""


def by_executor(lines: Sequence[str]) -> str:
    """The last error of Argo's executor, or of another container beside the step; empty without a message."""
    for line in reversed(lines):
        found = _EXECUTOR.match(line)
        message = (found["quoted"] or found["word"] or "") if found else ""
        if not found and (plain := _PLAIN.match(line)) and not _STATUS.match(plain["text"]):
            message = plain["text"]
        if message:
            return _plain(message.replace('\\"', '"'))
    return ""


def _fatal(lines: Sequence[str]) -> str:
    return next((found["text"] for line in reversed(lines) if (found := _FATAL.match(line))), "")


def _plain(message: str) -> str:
    """A Go error; for a server that did not answer, a sentence with what can be done."""
    rpc = _RPC.search(message)
    if rpc is None:
        return brief(message)
    server = "the Kubeflow Pipelines API server" if _KFP.search(message) else "ML Metadata"
    if rpc["code"] not in _SILENT:
        return brief(f"{server} refused: {rpc['detail']} ({rpc['code']})")
    return f"{server} did not answer{_where(rpc['detail'])}; ask an administrator of the cluster whether it is running"


def _where(message: str) -> str:
    """The address that did not answer, and why, as far as an error has it."""
    found = _ADDRESS.search(message)
    if found is None:
        return f" ({brief(message)})"
    at, why = (found["name"], found["unknown"]) if found["name"] else (found["address"], found["why"])
    return f" at {at} ({why.rpartition(': ')[2].strip()})"
