"""Where in a notebook's page a live picture takes the place of a static one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Home:
    """The mark of a static picture that ``js/`` knows as its own.

    ``token`` is that of the kernel's ``Live``; ``kind`` what is to be seen there, ``id`` which run, table
    or study.
    """

    token: str
    kind: Literal["run", "runs", "study"]
    id: str

    @property
    def attributes(self) -> dict[str, str]:
        """The mark as attributes of the picture's outermost element."""
        return {"data_kfnb": self.token, f"data_kfnb_{self.kind}": self.id}
