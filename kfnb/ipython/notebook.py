"""The magic of notebooks on the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kfnb import options
from kfnb.ipython.magic import Magics, reads
from kfnb.resources.notebooks.line import notebook_line

if TYPE_CHECKING:
    from kfnb.model.notebook import Notebook, NotebookList, Rehearsal


class NotebookMagics(Magics):
    """Notebooks."""

    @reads(options.notebook)
    def kf_notebook(self, line: str) -> NotebookList | Notebook | Rehearsal | None:
        parser = options.notebook()
        found = parser.read(line)
        options.check_notebook(parser, found)
        ask = input if self.kernel.attended else None
        return self.bound(found.bind, notebook_line(found, print, ask))
