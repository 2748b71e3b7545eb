"""What becomes of labels that a service is given."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FeedbackReceipt:
    """What became of some labels: new ones, those that replace another one, and those that were there already.

    ``missing`` are rows whose label is not known yet. ``unknown`` are the ids of requests that the service does not
    remember. ``kept`` are labels on a cluster, which a monitor joins with the log of requests.
    """

    new: int = 0
    corrected: int = 0
    repeated: int = 0
    missing: int = 0
    unknown: tuple[str, ...] = ()
    kept: int = 0

    @property
    def sentence(self) -> str:
        """The same in words."""
        if self.kept:
            return f"{self.kept:,} label{'' if self.kept == 1 else 's'} kept for the next check of a monitor"
        parts = [f"{self.new:,} new label{'' if self.new == 1 else 's'}"]
        parts += [f"{self.corrected:,} corrected"] if self.corrected else []
        parts += [f"{self.repeated:,} known already"] if self.repeated else []
        parts += [f"{self.missing:,} missing"] if self.missing else []
        some = ", ".join(self.unknown[:3]) + (", ..." if len(self.unknown) > 3 else "")  # noqa: PLR2004 - examples
        parts += [f"{len(self.unknown):,} unknown requests ({some})"] if self.unknown else []
        return ", ".join(parts)
