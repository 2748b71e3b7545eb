"""The exceptions that a user of kfnb meets.

Every one carries a message in the user's words: what is wrong, where, and what to do next. In a notebook
they show as that message alone; ``%kf_config debug=true`` brings the traceback back.
"""

from __future__ import annotations

import traceback


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


class Unreadable(BackendError, OSError):
    """An artifact cannot be read from here."""


class RunNotFound(BackendError):
    """No run has that id."""


class StudyNotFound(BackendError):
    """No study has that name."""


class StudyFailed(KfnbError):
    """A study that was waited for did not come to its end."""


class RunFailed(KfnbError):
    """A run that was waited for did not succeed."""


class NotebookError(KfnbError):
    """A notebook cannot be executed as asked."""
