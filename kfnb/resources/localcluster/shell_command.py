"""A command of another tool: how it reads in a shell, and how it is run, with a log of its messages."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from kfnb.errors import BackendError

_LAST = 6
"""How many of a tool's last lines an error has."""
_ENDS_WITHIN = 20.0
"""Seconds that a tool has to end by itself once it was interrupted."""


@dataclass(frozen=True)
class ShellCommand:
    """A command's words, and what it reads. Its text is a line that can be pasted in a shell."""

    words: tuple[str, ...]
    given: str = ""

    def __str__(self) -> str:
        """The line."""
        line = shlex.join(self.words)
        return f"printf %s {shlex.quote(self.given)} | {line}" if self.given else line

    @property
    def tool(self) -> str:
        """The tool's name."""
        return self.words[0]


@dataclass(frozen=True)
class Done:
    """What became of a command: its exit code, what it wrote as a result, and its messages."""

    code: int
    out: bytes = field(repr=False)
    messages: str = ""

    @property
    def lines(self) -> list[str]:
        """Its messages, without empty lines."""
        lines = (printable(line).rstrip() for line in self.messages.splitlines())
        return [line for line in lines if line]


class Log:
    """A file that only its owner reads, with the commands that were run and their messages."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)

    def write(self, text: str) -> None:
        """Add a text."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(text if text.endswith("\n") else text + "\n")


class Runner:
    """Runs commands, and logs their messages; their results, which may hold secrets, are not logged.

    An interrupt is passed on once, and the command has 20 seconds to end by itself.
    """

    def __init__(self, log: Log | None = None) -> None:
        self._log = log

    def run(self, command: ShellCommand, given: bytes = b"") -> Done:
        """Run a command to its end. Raises ``BackendError`` where there is no such tool."""
        process = self._start(command, stderr=subprocess.PIPE)
        with _ended(process):
            out, messages = process.communicate(given or command.given.encode())
        text = messages.decode("utf-8", "replace")
        self._note(text)
        return Done(process.returncode, out, text)

    def follow(self, command: ShellCommand, report: Callable[[str], None]) -> Done:
        """Run a command to its end, and report each line of its output as it arrives. Raises as ``run`` does."""
        process = self._start(command, stderr=subprocess.STDOUT)
        messages: list[str] = []
        with _ended(process):
            assert process.stdin is not None
            assert process.stdout is not None
            with suppress(BrokenPipeError):
                process.stdin.write(command.given.encode())
                process.stdin.close()
            for raw in process.stdout:
                line = raw.decode("utf-8", "replace").rstrip()
                self._note(line)
                messages.append(line)
                if text := printable(line).strip():
                    report(text)
            process.wait()
        return Done(process.returncode, b"", "\n".join(messages))

    def failed(self, message: str, done: Done) -> BackendError:
        """The error that a command's end is: the tool's own last lines, and where the rest is."""
        last = "".join(f"\n  {line}" for line in done.lines[-_LAST:])
        where = f"\nThe whole log is in {self._log.path}" if self._log is not None else ""
        return BackendError(f"{message} (exit code {done.code}):{last}{where}")

    def _note(self, text: str) -> None:
        if self._log is not None and text.strip():
            self._log.write(text)

    def _start(self, command: ShellCommand, *, stderr: int) -> subprocess.Popen[bytes]:
        self._note(f"$ {command}")
        try:
            return subprocess.Popen(
                command.words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                start_new_session=True,  # a terminal's interrupt is passed on by us, once
            )
        except FileNotFoundError:
            raise BackendError(
                f"{command.tool} is not installed; kfnb cluster up shows how to install it"
            ) from None
        except OSError as error:
            raise BackendError(f"{command.tool} cannot be run: {error.strerror}") from None


@contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Leaves no process behind, whatever happens: what still runs is interrupted, waited for, and ended."""
    try:
        yield
    finally:
        if process.poll() is None:
            _signal(process, signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_ENDS_WITHIN)
            _signal(process, signal.SIGKILL)
            process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


def printable(line: str) -> str:
    """A line without what would steer a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in line)


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
