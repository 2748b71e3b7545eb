"""The magics that start, show and manage runs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from kfnb import options
from kfnb.ipython.magic import Magics, reads
from kfnb.resources.runs import api
from kfnb.resources.runs import line as managing
from kfnb.resources.runs.handle import Run

if TYPE_CHECKING:
    from kfnb.model import Comparison
    from kfnb.resources.runs.handle import RunList


class RunMagics(Magics):
    """Runs."""

    @reads(options.submit)
    def kf_submit(self, line: str) -> Run:
        found, arguments = options.submit().read_with_arguments(line)
        if "kfp.compiler" not in sys.modules:
            self.kernel.announce(f"Compiling {found.pipeline}: KFP's compiler is being loaded ...")
        run = managing.submit(found, arguments, print, self.study_of(found.from_study))
        self.bound(found.bind, run)
        if found.keep_files:
            run.keep_when_finished(*found.keep_files, folder=api.folder())
        if not self.kernel.attended:
            self.wait_for(run)
        return run

    @reads(options.run)
    def kf_run(self, line: str) -> Run:
        found = options.run().read(line)
        return self.bound(found.bind, managing.shown(self.handle_of(found.run), found, print))

    @reads(options.stop)
    def kf_stop(self, line: str) -> None:
        run = self.handle_of(options.stop().read(line).run)
        run.stop()
        print(f"stopping run {run.id}")

    @reads(options.retry)
    def kf_retry(self, line: str) -> Run:
        found = options.retry().read(line)
        run = self.bound(found.bind, self.handle_of(found.run).retry())
        if not self.kernel.attended:
            self.wait_for(run)
        return run

    @reads(options.runs)
    def kf_runs(self, line: str) -> RunList:
        found = options.runs().read(line)
        return self.bound(found.bind, managing.runs(found))

    @reads(options.archive)
    def kf_archive(self, line: str) -> None:
        found = options.archive().read(line)
        managing.archive(found, api.handles(*map(self.run_of, found.runs)), print)

    @reads(options.delete)
    def kf_delete(self, line: str) -> None:
        found = options.delete().read(line)
        ask = input if self.kernel.attended else None
        managing.delete(found, api.handles(*map(self.run_of, found.runs)), print, ask)

    @reads(options.compare)
    def kf_compare(self, line: str) -> Comparison:
        found = options.compare().read(line)
        return self.bound(found.bind, api.compare(*map(self.run_of, found.runs), whole=found.all))

    @reads(options.logs)
    def kf_logs(self, line: str) -> None:
        found = options.logs().read(line)
        run = api.newest() if found.run is None else self.handle_of(found.run)
        managing.logs(run, found, options.NOTEBOOK_TAIL, print, print)
