"""The exceptions of kfnb.

Each has a message, and besides it a ``code``, a short word that programs can rely on; a ``hint``, what to do next; and
a ``ref``, what the error is about. In a notebook, only the message and the hint are shown; ``%kf_config debug=true``
shows the traceback too. ``docs/errors.md`` lists the codes.
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
    "missing-package",
    "still-running",
    "run-not-found",
    "run-failed",
    "study-not-found",
    "study-failed",
    "service-not-found",
    "service-failed",
]
"""The kinds of errors. Each class has a default; the code that raises an error may choose another."""


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
        """The lines that IPython prints for this exception (IPython's protocol)."""
        if KfnbError.debug:
            from kfnb.diagnostics import redact  # not needed by most programs that get an error

            return [redact("".join(traceback.format_exception(type(self), self, self.__traceback__)))]
        return [f"{type(self).__name__}: {self}"]


class UsageError(KfnbError):
    """A magic, a command or a function was used incorrectly."""

    code: Code = "usage"


class SettingError(UsageError):
    """A setting is unknown or has an invalid value."""

    code: Code = "invalid-setting"


class CaptureError(KfnbError):
    """A cell cannot become a component."""

    code: Code = "cannot-capture"


class PipelineError(KfnbError):
    """Steps do not fit together into a pipeline, or a file is not a pipeline."""

    code: Code = "invalid-pipeline"


class ArgumentError(PipelineError):
    """An argument is missing, unknown or of the wrong type for the pipeline."""

    code: Code = "invalid-argument"


class BackendError(KfnbError):
    """A backend cannot do what was requested."""

    code: Code = "backend"


class BackendUnavailable(BackendError):
    """A backend does not answer at the moment: the same request may succeed later."""

    code: Code = "unavailable"


class Hidden(BackendError):
    """The user has no permission for the request on the cluster; whether the object exists is unknown.

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
    """The cluster has no such object. ``kind`` says what is missing: ``object``, ``namespace`` or ``resource``."""

    code: Code = "not-found"

    def __init__(self, message: str, *, kind: str = "object", hint: str = "", ref: str = "") -> None:
        super().__init__(message, hint=hint, ref=ref)
        self.kind = kind


class Unauthenticated(BackendError):
    """The cluster cannot authenticate the user: a token is missing, wrong or expired."""

    code: Code = "unauthenticated"


class Conflict(BackendError):
    """A conflict with another change: the object has changed since it was read, or ``exists`` already."""

    code: Code = "conflict"

    def __init__(self, message: str, *, exists: bool = False, hint: str = "", ref: str = "") -> None:
        super().__init__(message, hint=hint, ref=ref)
        self.exists = exists


class Refused(BackendError):
    """A rule of the cluster forbids it for every user: a quota, PodSecurity, an admission webhook."""

    code: Code = "refused"


class Invalid(BackendError):
    """The cluster rejects an object as invalid; the message is the cluster's."""

    code: Code = "invalid-object"


class Unreadable(BackendError, OSError):
    """An artifact cannot be read from here."""

    code: Code = "unreadable"


class NotFound(BackendError):
    """Nothing has that name or id, or it was deleted."""


class RunNotFound(NotFound):
    """No run has that id."""

    code: Code = "run-not-found"


class StudyNotFound(NotFound):
    """No study has that name."""

    code: Code = "study-not-found"


class ServiceNotFound(NotFound):
    """No service has that name."""

    code: Code = "service-not-found"


class ServiceFailed(KfnbError):
    """A service does not answer, or answers that it cannot."""

    code: Code = "service-failed"


class StudyFailed(KfnbError):
    """A study did not succeed while it was waited for."""

    code: Code = "study-failed"


class RunFailed(KfnbError):
    """A run did not succeed while it was waited for."""

    code: Code = "run-failed"


class MissingExtra(BackendError):
    """A package from one of kfnb's extras is missing."""

    code: Code = "missing-package"


class NotebookError(KfnbError):
    """A notebook cannot be read, or not be executed as asked."""

    code: Code = "invalid-notebook"


def interrupted(message: str) -> KeyboardInterrupt:
    """The interrupt of a person while kfnb waited, which a notebook shows as one line: where it waited tells nothing.

    ``message`` says what the interrupt means for what was waited for.
    """
    error = KeyboardInterrupt(message)
    setattr(error, "_render_traceback_", lambda: [f"KeyboardInterrupt: {message}"])  # noqa: B010 - unknown to mypy
    return error


class Help(Exception):
    """``--help`` was given; the message is the help, ``parser`` the parser that it describes."""

    def __init__(self, text: str, parser: object = None) -> None:
        super().__init__(text)
        self.parser = parser


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """The hint of an error about an unknown ``word``: a similar known word, if any, and ``otherwise``."""
    from difflib import get_close_matches

    close = get_close_matches(word, list(known), 1)
    return "; ".join(filter(None, [f"did you mean {close[0]}?" if close else "", otherwise]))
