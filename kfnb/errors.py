"""The exceptions that a user of kfnb meets.

Every one carries a message in the user's words: what is wrong, where, and what to do next. In a notebook
they show as that message alone; ``%kf_config debug=true`` brings the traceback back.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable


class KfnbError(Exception):
    """The root of all errors that kfnb raises on purpose."""

    debug = False
    """Whether notebooks show the whole traceback; set by the ``debug`` setting."""

    def _render_traceback_(self) -> list[str]:
        """What IPython prints for this exception (its own protocol)."""
        if KfnbError.debug:
            return traceback.format_exception(type(self), self, self.__traceback__)
        return [f"{type(self).__name__}: {self}"]


class UsageError(KfnbError):
    """A magic, a command or a function was called with words it does not know."""


class SettingError(UsageError):
    """A setting has a name or a value that kfnb does not know."""


class CaptureError(KfnbError):
    """A cell cannot become a component."""


class PipelineError(KfnbError):
    """Steps do not fit together into a pipeline, or a file is no pipeline."""


class ArgumentError(PipelineError):
    """An argument is missing, unknown or of the wrong type for the pipeline."""


class BackendError(KfnbError):
    """A backend cannot do what was asked of it."""


class BackendUnavailable(BackendError):
    """A backend does not answer at the moment: what was asked may succeed later."""


class Hidden(BackendError):
    """You may not see or do that on the cluster; whether it is there is not known.

    ``user`` may not do ``verb`` with ``resource`` in ``namespace``, which is empty for the cluster as a whole.
    """

    def __init__(
        self, message: str, *, user: str = "", verb: str = "", resource: str = "", namespace: str = ""
    ) -> None:
        super().__init__(message)
        self.user, self.verb, self.resource, self.namespace = user, verb, resource, namespace


class Absent(BackendError):
    """The cluster has no such thing. ``kind`` says what is not there: ``object``, ``namespace`` or ``resource``."""

    def __init__(self, message: str, *, kind: str = "object") -> None:
        super().__init__(message)
        self.kind = kind


class Unauthenticated(BackendError):
    """The cluster does not know who you are: a token that is missing, wrong or has expired."""


class Conflict(BackendError):
    """Somebody else was there before: the object has changed since it was read, or ``exists`` already."""

    def __init__(self, message: str, *, exists: bool = False) -> None:
        super().__init__(message)
        self.exists = exists


class Refused(BackendError):
    """A rule of the cluster forbids it, whoever asks: a quota, PodSecurity, an admission webhook."""


class Invalid(BackendError):
    """The cluster cannot make sense of what it was given; the message is its own sentence."""


class Unreadable(BackendError, OSError):
    """An artifact cannot be read from here."""


class NotFound(BackendError):
    """There is nothing of that name or id, or it was deleted."""


class RunNotFound(NotFound):
    """No run has that id."""


class StudyNotFound(NotFound):
    """No study has that name."""


class StudyFailed(KfnbError):
    """A study that was waited for did not come to its end."""


class RunFailed(KfnbError):
    """A run that was waited for did not succeed."""


class NotebookError(KfnbError):
    """A notebook cannot be executed as asked."""


class Help(Exception):
    """``--help`` was given; the message is the help, ``parser`` what reads the words that it tells of."""

    def __init__(self, text: str, parser: object = None) -> None:
        super().__init__(text)
        self.parser = parser


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of an error about an unknown ``word``: the known one that is like it, or nothing."""
    from difflib import get_close_matches

    close = get_close_matches(word, list(known), 1)
    return f"; did you mean {close[0]}?" if close else ""
