"""The magics that search."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kfnb import options
from kfnb.capture.component import Options
from kfnb.errors import UsageError
from kfnb.ipython.magic import Magics, reads
from kfnb.resources.runs import line as managing
from kfnb.resources.studies import api

if TYPE_CHECKING:
    from kfnb.model import StudyList
    from kfnb.resources.studies.handle import Study


_NAME = re.compile(r"\$(?P<dollar>[A-Za-z_]\w*)|\{(?P<braces>[A-Za-z_]\w*)\}")


class TuningMagics(Magics):
    """Studies."""

    @reads(options.tune_line, options.tune_cell)
    def kf_tune(self, line: str, body: str | None = None) -> Study | None:
        line = self._expanded(line)
        if body is None:
            found, arguments = options.tune_line().read_with_arguments(line)
            prog, name = "%kf_tune", found.study
        else:
            found = options.tune_cell().read(line)
            prog, name, arguments = "%%kf_tune", found.name, dict(found.p or ())
        how = options.search_of(found, prog)
        space = options.space_of(found, self.kernel.shell.user_ns, prog)
        if body is None:
            subject: Any = self.kernel.shell.user_ns.get(found.subject)
            subject = subject if hasattr(subject, "pipeline_spec") else found.subject
            how["arguments"] = arguments
        else:
            subject = self._trial(line, body, found, space, arguments)
        if found.dry_run:
            print(api.drafted(subject, space, name=name, **how))
            return None
        study = self.bound(found.bind, api.tune(subject, space, name=name, **how))
        for note in study.snapshot().notes:
            print(f"note: {note}")
        return self._seen(study)

    def _expanded(self, line: str) -> str:
        """The line with the values of names for ``$name`` and ``{name}``; other braces are a space's own."""
        names = self.kernel.shell.user_ns

        def value(found: re.Match[str]) -> str:
            name = found["dollar"] or found["braces"]
            return str(names[name]) if name in names else found[0]

        return _NAME.sub(value, line)

    def _trial(self, line: str, body: str, found: Any, space: Any, arguments: dict[str, str]) -> Any:
        """The cell as what is tuned."""
        params = tuple(options.parameter(text) for text in found.param)
        options.unique([param.name for param in params], "--param")
        chosen = Options(params=params, packages=tuple(found.package), image=found.image)
        return api.cell_subject(
            self.kernel.trial_cell(found.name, line, body),
            chosen,
            space,
            objective=found.objective,
            metrics=found.metric,
            arguments=arguments,
        )

    def _seen(self, study: Study) -> Study:
        """A study that goes on: waited for where nobody is there to watch it."""
        if not self.kernel.attended:
            self.wait_for(study)
        return study

    @reads(options.study)
    def kf_study(self, line: str) -> Study | None:
        found = options.study().read(line)
        study = self.bound(found.bind, self._study(found))
        if found.logs is not None:
            managing.trial_log(study, found, options.NOTEBOOK_TAIL, print, print)
            return None
        if found.delete:
            study.delete()
            print(f"deleted study {study.name}")
            return None
        if found.stop:
            study.stop()
        if found.resume:
            return self._seen(study.resume(found.trials))
        if found.trials is not None:
            raise UsageError("%kf_study: --trials goes with --resume")
        return study

    def _study(self, found: Any) -> Study:
        held = self.study_of(found.name)
        if not isinstance(held, str):
            study: Study = held
            return study
        return api.study(held, backend=found.backend) if found.backend else api.find(held)

    @reads(options.studies)
    def kf_studies(self, line: str) -> StudyList:
        found = options.studies().read(line)
        return self.bound(found.bind, api.studies(backend=found.backend))
