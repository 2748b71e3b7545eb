"""Where in a notebook's page a live picture takes the place of a static one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Home:
    """The mark of a static picture that ``js/`` knows as its own.

    ``token`` is that of the kernel's ``Live``; ``type`` and ``id`` name the subject that is to be seen there, as the
    messages do.
    """

    token: str
    type: str
    id: str

    @property
    def attributes(self) -> dict[str, str]:
        """The mark as attributes of the picture's outermost element."""
        return {"data_kfnb": self.token, "data_kfnb_type": self.type, "data_kfnb_id": self.id}
