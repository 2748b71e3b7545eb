"""What running a run again takes: what was submitted, and the environment that was recorded."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from kfnb.entities import with_placeholders
from kfnb.errors import BackendError
from kfnb.resources.runs.engine import Submission
from kfnb.resources.runs.events import decode
from kfnb.resources.runs.local.environment import build, missing, parse, pinned, python_of
from kfnb.resources.runs.local.folder import RunFolder
from kfnb.resources.runs.local.spec import PythonProgram
from kfnb.resources.runs.local.step_errors import StepFault


def submission_of(folder: RunFolder) -> Submission:
    """What a run was made of: its spec as it was compiled, and its arguments. Raises ``BackendError``."""
    spec, order = folder.read()
    return Submission(
        with_placeholders(spec),
        {name: decode(value) for name, value in order.arguments.items()},
        order.name,
        platform=order.platform or None,
        folder=order.folder,
    )


def environment_for(programs: Iterable[PythonProgram], submission: Submission, envs: Path) -> Path | None:
    """Build the environment with a submission's packages in ``envs``, unless this one has them; its Python.

    Raises ``BackendError`` for a package that cannot be installed.
    """
    python: Path | None = None
    for needed in {pinned(parse(one.installs), submission.packages, submission.python) for one in programs}:
        if not missing(needed):
            python = python or Path(sys.executable)
            continue
        try:
            with redirect_stdout(StringIO()):  # what an installer prints; an error names the package
                build(needed, envs)
        except StepFault as fault:
            raise BackendError(f"the recorded environment cannot be made: {fault}") from None
        python = python_of(needed, envs)
    return python
