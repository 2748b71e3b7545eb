"""Logging: the loggers, where their records go, and the removal of secrets.

Each package has a logger below ``kfnb``: ``logger(__package__)``. As with any library, nothing is printed unless a
program sets up logging. ``%kf_config debug=true`` shows records and keeps them in the home (``show``); a process that
drives a run or a study writes them to its own folder (``written_to``).
"""

from __future__ import annotations

import heapq
import logging
import os
import re
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO
from urllib.parse import quote

LIMIT = 1_000_000
"""Bytes after which the log in the home is rotated."""
OLDER = 2
"""Number of rotated logs that are kept."""

_ROOT = logging.getLogger("kfnb")
_ROOT.addHandler(logging.NullHandler())  # without a handler, Python prints warnings

# -- secrets --------------------------------------------------------------------------------------------------

_SHORTEST = 6
"""Length of the shortest secret that is removed: shorter ones occur in ordinary words."""

_secrets: set[str] = set()

_NAMES = r"token|passw(?:or)?d|secret|credential|signature|api[_-]?key|access[_-]?key|key-data"
_PATTERNS = (
    (r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", "***"),
    (r"(?i)((?:set-)?cookies?[\"']?\s*[:=]\s*)\S[^\n]*", r"\1***"),
    (r"(?i)(authorization[\"']?\s*[:=]\s*[\"']?)(?:\w+ +)?[^\s\"',;}]+", r"\1***"),
    (r"(?i)\b(bearer +)[\w.~+/=-]{8,}", r"\1***"),
    (r"\beyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?", "***"),  # a JSON Web Token
    (r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b", "***"),
    (r"\b(?:gh[opsru]_|github_pat_|glpat-|xox[abpr]-|pypi-)[\w-]{16,}", "***"),
    (r"\b(?:hf_|sk-(?:proj-|ant-)?)[A-Za-z0-9]{20,}", "***"),
    (r"(://)[^/\s:@]*:[^/\s@]+@", r"\1***@"),
    (
        rf"(?i)((?:{_NAMES})(?![\w.-]*file)[\w-]*[\"']?\s*[:=]\s*)(?:\"[^\"\n]*\"?|'[^'\n]*'?|[^\s\"',;}}&)]+)",
        r"\1***",
    ),
)
"""What looks like a secret, and its replacement. Compiled when something is logged, not when kfnb is imported."""


def hide(secret: str) -> None:
    """Remove ``secret`` from everything that is logged from now on."""
    if len(secret) >= _SHORTEST:
        _secrets.add(secret)


def redact(text: str) -> str:
    """``text`` with ``***`` in place of each known secret and of what looks like one."""
    for secret in sorted(_secrets | set(_of_environment()), key=len, reverse=True):
        text = text.replace(secret, "***").replace(quote(secret, safe=""), "***")
    for pattern, instead in _PATTERNS:
        text = re.sub(pattern, instead, text)
    return text


def _of_environment() -> Iterator[str]:
    from kfnb.text.variables import is_secret  # compiling its patterns takes longer than most verbs

    for name, value in os.environ.items():
        # the path of a file with a token is not a secret
        if len(value) >= _SHORTEST and is_secret(name, value) and not os.path.exists(value):  # noqa: PTH110
            yield value


def where(error: BaseException) -> str:
    """The type of an error and its stack, without the message, which may quote a secret."""
    return f"{type(error).__name__}\n{''.join(traceback.format_tb(error.__traceback__))}".rstrip()


class Redaction(logging.Filter):
    """Removes secrets from a record before any handler, including other libraries', sees it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Render message and traceback without secrets; arguments and frames are dropped from the record."""
        record.msg, record.args = redact(record.getMessage()), None
        if record.exc_info:
            record.exc_text = redact(_FORMAT.formatException(record.exc_info))
            record.exc_info = None
        return True


_REDACTION = Redaction()
_FORMAT = logging.Formatter("%(asctime)s %(levelname)s %(name)s [%(process)d]: %(message)s")


def logger(package: str | None) -> logging.Logger:
    """The logger of a package of kfnb (``__package__``), with secrets removed."""
    found = logging.getLogger(package or _ROOT.name)
    found.addFilter(_REDACTION)  # adding it twice has no effect
    return found


# -- where it goes --------------------------------------------------------------------------------------------


class LogOutput(logging.StreamHandler[TextIO]):
    """Prints records on the current ``sys.stderr``, which notebooks and tests replace."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        """The stream of the moment."""
        return sys.stderr


class LogWriter(logging.Handler):
    """Appends records to ``file``, readable by its owner only; it is rotated at ``limit`` bytes, if that is given.

    The file is opened for each record, since several kernels write to it and any of them may rotate it.
    """

    def __init__(self, file: Path, limit: int | None = None) -> None:
        super().__init__()
        self.setFormatter(_FORMAT)
        self._file, self._limit = file, limit

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record. On failure, log a warning once through the other handlers and stop writing."""
        try:
            for folder in (
                self._file.parent.parent,
                self._file.parent,
            ):  # the mode is that of the last folder alone
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._rotate()
            opened = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(opened, "a", encoding="utf-8", errors="backslashreplace") as out:
                out.write(f"{self.format(record)}\n")
        except OSError as error:
            _ROOT.removeHandler(self)
            logger(None).warning("The log cannot be written to %s: %s.", self._file, error.strerror or error)

    def _rotate(self) -> None:
        with suppress(FileNotFoundError):  # not written yet, or just rotated by another kernel
            if self._limit is None or self._file.stat().st_size < self._limit:
                return
            for number in range(OLDER, 0, -1):
                with suppress(FileNotFoundError):
                    _numbered(self._file, number - 1).replace(_numbered(self._file, number))


def _numbered(file: Path, number: int) -> Path:
    return file.with_name(f"{file.name}.{number}") if number else file


def log_file(home: str) -> Path:
    """The log in ``home``."""
    return _folder(home) / "logs" / "kfnb.log"


def _folder(home: str) -> Path:
    return Path(os.path.expanduser(home))  # noqa: PTH111 - pathlib's raises where there is no such user


def show(home: str, *, on: bool) -> None:
    """Show records from now on and keep them in ``home``; with ``on`` false, stop both."""
    for handler in [one for one in _ROOT.handlers if isinstance(one, LogOutput | LogWriter)]:
        _ROOT.removeHandler(handler)
    _ROOT.setLevel(logging.DEBUG if on else logging.NOTSET)
    if on:
        _ROOT.addHandler(LogOutput())
        _ROOT.addHandler(LogWriter(log_file(home), LIMIT))


@contextmanager
def written_to(file: Path) -> Iterator[None]:
    """Also write records to ``file`` until the end of the block."""
    writer, level = LogWriter(file), _ROOT.level
    _ROOT.addHandler(writer)
    _ROOT.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        _ROOT.removeHandler(writer)
        _ROOT.setLevel(level)


# -- reading logs ---------------------------------------------------------------------------------------------

_JOBS = ("runs/*/supervisor.log", "studies/*/supervisor.log", "clusters/*.log")
_SHOWN = 5
_READ = 64 * 1024


@dataclass(frozen=True)
class LogFile:
    """A log and its last ``lines``, with secrets removed. ``modified`` is in seconds since the epoch."""

    path: str
    size: int
    modified: float
    lines: tuple[str, ...]


@dataclass(frozen=True)
class LogList:
    """The existing logs. ``log_file`` is the path of the log in the home, ``written`` whether it exists."""

    log_file: str
    written: bool
    files: tuple[LogFile, ...]

    @classmethod
    def find(cls, home: str, *, tail: int = 20) -> LogList:
        """The log in ``home``, if it exists, and the newest logs of runs, studies and local clusters."""
        of_jobs = [file for pattern in _JOBS for file in _folder(home).glob(pattern)]
        newest = heapq.nlargest(_SHOWN, filter(_size, of_jobs), key=_modified)
        files = tuple(_read(file, tail) for file in (log_file(home), *newest) if _size(file))
        return cls(str(log_file(home)), log_file(home).exists(), files)


def _size(file: Path) -> int:
    with suppress(OSError):
        return file.stat().st_size
    return 0


def _modified(file: Path) -> float:
    with suppress(OSError):
        return file.stat().st_mtime
    return 0.0


def _read(file: Path, tail: int) -> LogFile:
    size, text = _size(file), ""
    with suppress(OSError), file.open("rb") as opened:
        opened.seek(max(0, size - _READ))
        text = opened.read().decode("utf-8", "replace")
    lines = redact(text).splitlines()[-tail:]
    return LogFile(str(file), size, _modified(file), tuple(lines))


def described(found: LogFile) -> str:
    """A log as text: path, size, time of the last change, and the last lines."""
    written = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(found.modified))
    return "\n".join(
        [f"{found.path} ({found.size:,} bytes, {written})", *(f"  {line}" for line in found.lines)]
    )
