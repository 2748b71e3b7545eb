"""The exceptions that a user of kfnb meets.

Each has a message in the user's words, and beside it a ``code``, a short word that programs can rely on; a ``hint``,
what to do next; and a ``ref``, what it is about. In a notebook they show as the message and the hint alone;
``%kf_config debug=true`` brings the traceback back. ``docs/errors.md`` lists the codes.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from typing import Literal

Code = Literal[
    "error",
    "internal",
    "usage",
    "confirmation-required",
    "cluster-required",
    "unknown-verb",
    "unknown-option",
    "unknown-setting",
    "invalid-setting",
    "unknown-backend",
    "unknown-state",
    "unknown-component",
    "unknown-pipeline",
    "unknown-task",
    "invalid-name",
    "cannot-capture",
    "not-defined",
    "no-value",
    "invalid-pipeline",
    "cannot-compile",
    "unknown-argument",
    "missing-argument",
    "invalid-argument",
    "file-not-found",
    "invalid-notebook",
    "backend",
    "unavailable",
    "unauthenticated",
    "forbidden",
    "not-found",
    "conflict",
    "refused",
    "invalid-object",
    "unreadable",
    "disk-full",
    "still-running",
    "run-not-found",
    "run-failed",
    "study-not-found",
    "study-failed",
]
"""The kind of error. Each class has a default; the place that raises an error may choose another."""


class KfnbError(Exception):
    """The root of all errors that kfnb raises on purpose.

    ``hint`` follows the message after a semicolon, or after the colon or the period that the message ends with.
    """

    code: Code = "error"
    """The kind of error."""
    hint: str = ""
    """What to do next; may be empty."""
    ref: str = ""
    """What the error is about: a cell and line, a file, a setting, a run's id, the name of a study or a component."""

    debug = False
    """Whether notebooks show the whole traceback; set by the ``debug`` setting."""

    def __init__(self, message: str = "", *, code: Code | None = None, hint: str = "", ref: str = "") -> None:
        super().__init__(message)
        if code is not None:
            self.code = code
        self.hint, self.ref = hint, ref

    @property
    def message(self) -> str:
        """What is wrong, without the hint."""
        text = str(self.args[0]) if self.args else ""
        return text.rstrip(":;") if self.hint else text

    def __str__(self) -> str:
        text = str(self.args[0]) if self.args else ""
        if not (text and self.hint):
            return text or self.hint
        return f"{text}{' ' if text[-1] in ':;.' else '; '}{self.hint}"

    def as_dict(self) -> dict[str, str]:
        """The error as ``--json`` prints it."""
        return {"code": self.code, "message": self.message, "hint": self.hint, "ref": self.ref}

    def _render_traceback_(self) -> list[str]:
        """What IPython prints for this exception (its own protocol)."""
        if KfnbError.debug:
            from kfnb.diagnostics import redact  # which most programs that meet an error never need

            return [redact("".join(traceback.format_exception(type(self), self, self.__traceback__)))]
        return [f"{type(self).__name__}: {self}"]


class UsageError(KfnbError):
    """A magic, a command or a function was called with words it does not know."""

    code: Code = "usage"


class SettingError(UsageError):
    """A setting has a name or a value that kfnb does not know."""

    code: Code = "invalid-setting"


class CaptureError(KfnbError):
    """A cell cannot become a component."""

    code: Code = "cannot-capture"


class PipelineError(KfnbError):
    """Steps do not fit together into a pipeline, or a file is no pipeline."""

    code: Code = "invalid-pipeline"


class ArgumentError(PipelineError):
    """An argument is missing, unknown or of the wrong type for the pipeline."""

    code: Code = "invalid-argument"


class BackendError(KfnbError):
    """A backend cannot do what was asked of it."""

    code: Code = "backend"


class BackendUnavailable(BackendError):
    """A backend does not answer at the moment: what was asked may succeed later."""

    code: Code = "unavailable"


class Hidden(BackendError):
    """You may not see or do that on the cluster; whether it is there is not known.

    ``user`` may not do ``verb`` with ``resource`` in ``namespace``, which is empty for the cluster as a whole.
    """

    code: Code = "forbidden"

    def __init__(
        self,
        message: str,
        *,
        user: str = "",
        verb: str = "",
        resource: str = "",
        namespace: str = "",
        hint: str = "",
        ref: str = "",
    ) -> None:
        super().__init__(message, hint=hint, ref=ref or f"{namespace}/{resource}".strip("/"))
        self.user, self.verb, self.resource, self.namespace = user, verb, resource, namespace


class Absent(BackendError):
    """The cluster has no such thing. ``kind`` says what is not there: ``object``, ``namespace`` or ``resource``."""

    code: Code = "not-found"

    def __init__(self, message: str, *, kind: str = "object", hint: str = "", ref: str = "") -> None:
        super().__init__(message, hint=hint, ref=ref)
        self.kind = kind


class Unauthenticated(BackendError):
    """The cluster does not know who you are: a token that is missing, wrong or has expired."""

    code: Code = "unauthenticated"


class Conflict(BackendError):
    """Somebody else was there before: the object has changed since it was read, or ``exists`` already."""

    code: Code = "conflict"

    def __init__(self, message: str, *, exists: bool = False, hint: str = "", ref: str = "") -> None:
        super().__init__(message, hint=hint, ref=ref)
        self.exists = exists


class Refused(BackendError):
    """A rule of the cluster forbids it, whoever asks: a quota, PodSecurity, an admission webhook."""

    code: Code = "refused"


class Invalid(BackendError):
    """The cluster cannot make sense of what it was given; the message is its own sentence."""

    code: Code = "invalid-object"


class Unreadable(BackendError, OSError):
    """An artifact cannot be read from here."""

    code: Code = "unreadable"


class RunNotFound(BackendError):
    """No run has that id."""

    code: Code = "run-not-found"


class StudyNotFound(BackendError):
    """No study has that name."""

    code: Code = "study-not-found"


class StudyFailed(KfnbError):
    """A study that was waited for did not come to its end."""

    code: Code = "study-failed"


class RunFailed(KfnbError):
    """A run that was waited for did not succeed."""

    code: Code = "run-failed"


class MissingExtra(BackendError):
    """A package that is installed with one of kfnb's extras is missing."""


class NotebookError(KfnbError):
    """A notebook cannot be executed as asked."""

    code: Code = "invalid-notebook"


class Help(Exception):
    """``--help`` was given; the message is the help, ``parser`` what reads the words that it tells of."""

    def __init__(self, text: str, parser: object = None) -> None:
        super().__init__(text)
        self.parser = parser


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """The hint of an error about an unknown ``word``: the known word that is like it, if any, and ``otherwise``."""
    from difflib import get_close_matches

    close = get_close_matches(word, list(known), 1)
    return "; ".join(filter(None, [f"did you mean {close[0]}?" if close else "", otherwise]))
