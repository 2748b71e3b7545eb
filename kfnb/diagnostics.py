"""What kfnb logs: where it goes, and that no secret is in it.

Each package logs under its own name, below ``kfnb``: ``logger(__package__)``. Nothing of it is printed unless a program
asks for it, as of any library; ``%kf_config debug=true`` shows it and keeps it in the home (``show``), and a process
that drives a run or a study writes it into its own folder (``written_to``).
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
"""Bytes after which the log in the home is begun anew."""
OLDER = 2
"""Logs before the current one that are kept."""

_ROOT = logging.getLogger("kfnb")
_ROOT.addHandler(logging.NullHandler())  # else Python prints the warnings of a library that nobody listens to

# -- secrets --------------------------------------------------------------------------------------------------

_SHORTEST = 6
"""Characters of the shortest secret that is looked for: fewer are in many words by chance."""

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
"""What looks like a secret, whatever it is, and what stands instead. It is compiled when something is logged."""


def hide(secret: str) -> None:
    """Keep ``secret`` out of all that is logged from now on."""
    if len(secret) >= _SHORTEST:
        _secrets.add(secret)


def redact(text: str) -> str:
    """``text`` with ``***`` for what is a secret or looks like one."""
    for secret in sorted(_secrets | set(_of_environment()), key=len, reverse=True):
        text = text.replace(secret, "***").replace(quote(secret, safe=""), "***")
    for pattern, instead in _PATTERNS:
        text = re.sub(pattern, instead, text)
    return text


def _of_environment() -> Iterator[str]:
    from kfnb.text.variables import is_secret  # its patterns take longer to compile than most verbs to answer

    for name, value in os.environ.items():
        # the path of a token's file is no secret
        if len(value) >= _SHORTEST and is_secret(name, value) and not os.path.exists(value):  # noqa: PTH110
            yield value


def where(error: BaseException) -> str:
    """The kind of an error and the lines that it passed through, without its message, which may quote a secret."""
    return f"{type(error).__name__}\n{''.join(traceback.format_tb(error.__traceback__))}".rstrip()


class Redaction(logging.Filter):
    """Takes secrets out of a record before any handler sees it, those of other libraries included."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Write the message and the traceback out, without secrets. The record keeps neither arguments nor frames."""
        record.msg, record.args = redact(record.getMessage()), None
        if record.exc_info:
            record.exc_text = redact(_FORMAT.formatException(record.exc_info))
            record.exc_info = None
        return True


_REDACTION = Redaction()
_FORMAT = logging.Formatter("%(asctime)s %(levelname)s %(name)s [%(process)d]: %(message)s")


def logger(package: str | None) -> logging.Logger:
    """The logger of one of kfnb's packages (``__package__``), through which no secret passes."""
    found = logging.getLogger(package or _ROOT.name)
    found.addFilter(_REDACTION)  # a second time is none
    return found


# -- where it goes --------------------------------------------------------------------------------------------


class LogOutput(logging.StreamHandler[TextIO]):
    """Prints what is logged on stderr, whatever that is at the time: a notebook and a test replace it."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        """The stream of the moment."""
        return sys.stderr


class LogWriter(logging.Handler):
    """Appends what is logged to ``file``, which nobody else may read; with a ``limit``, a full one is put aside.

    The file is opened for each record: several kernels write to it, and any of them may put it aside.
    """

    def __init__(self, file: Path, limit: int | None = None) -> None:
        super().__init__()
        self.setFormatter(_FORMAT)
        self._file, self._limit = file, limit

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record. Where that fails, the others hear of it once, and nothing more is written."""
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._put_aside()
            opened = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(opened, "a", encoding="utf-8", errors="backslashreplace") as out:
                out.write(f"{self.format(record)}\n")
        except OSError as error:
            _ROOT.removeHandler(self)
            logger(None).warning("The log cannot be written to %s: %s.", self._file, error.strerror or error)

    def _put_aside(self) -> None:
        with suppress(FileNotFoundError):  # there is none yet, or another kernel has just put it aside
            if self._limit is None or self._file.stat().st_size < self._limit:
                return
            for number in range(OLDER, 0, -1):
                with suppress(FileNotFoundError):
                    _numbered(self._file, number - 1).replace(_numbered(self._file, number))


def _numbered(file: Path, number: int) -> Path:
    return file.with_name(f"{file.name}.{number}") if number else file


def kept(home: str) -> Path:
    """The log in ``home``."""
    return _folder(home) / "logs" / "kfnb.log"


def _folder(home: str) -> Path:
    return Path(os.path.expanduser(home))  # noqa: PTH111 - pathlib's raises where there is no such user


def show(home: str, *, on: bool) -> None:
    """Show what is logged from now on, and keep it in ``home``; or, with ``on`` false, no longer."""
    for handler in [one for one in _ROOT.handlers if isinstance(one, LogOutput | LogWriter)]:
        _ROOT.removeHandler(handler)
    _ROOT.setLevel(logging.DEBUG if on else logging.NOTSET)
    if on:
        _ROOT.addHandler(LogOutput())
        _ROOT.addHandler(LogWriter(kept(home), LIMIT))


@contextmanager
def written_to(file: Path) -> Iterator[None]:
    """Write what is logged to ``file`` too, until the block's end."""
    writer, level = LogWriter(file), _ROOT.level
    _ROOT.addHandler(writer)
    _ROOT.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        _ROOT.removeHandler(writer)
        _ROOT.setLevel(level)


# -- what is there --------------------------------------------------------------------------------------------

_JOBS = ("runs/*/supervisor.log", "studies/*/supervisor.log", "clusters/*.log")
_SHOWN = 5
_READ = 64 * 1024


@dataclass(frozen=True)
class LogFile:
    """A log of kfnb's and its last ``lines``, without secrets. ``modified`` is in seconds since the epoch."""

    path: str
    size: int
    modified: float
    lines: tuple[str, ...]


def logs(home: str, *, tail: int = 20) -> list[LogFile]:
    """The log in ``home``, if there is one, and the newest of those that runs, studies and clusters there wrote."""
    of_jobs = [file for pattern in _JOBS for file in _folder(home).glob(pattern)]
    newest = heapq.nlargest(_SHOWN, filter(_size, of_jobs), key=_modified)
    return [_read(file, tail) for file in (kept(home), *newest) if _size(file)]


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
    """A log as text: where it is, when it was written, and its last lines."""
    written = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(found.modified))
    return "\n".join(
        [f"{found.path} ({found.size:,} bytes, {written})", *(f"  {line}" for line in found.lines)]
    )
