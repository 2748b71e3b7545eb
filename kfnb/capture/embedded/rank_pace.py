"""How fast a number grows that a training's process reports: its steps, or the part that is done."""

from __future__ import annotations


class kfnb_RankPace:  # noqa: N801 - a class that travels
    """The growth of a number a second, over its last few reports."""

    MARKS = 6  # reports that are kept
    APART = 2.0  # seconds between two of them
    LEAST = 0.2  # seconds between the first and the last, for a pace that means something

    def __init__(self) -> None:
        self.marks: list[tuple[float, float]] = []

    def take(self, number: float) -> float | None:
        """Take a report in. The pace; None where it is not known yet."""
        import time

        now = time.monotonic()
        if self.marks and number < self.marks[-1][1]:  # it has begun anew
            self.marks = []
        if len(self.marks) > 1 and self.marks[-1][0] - self.marks[-2][0] < self.APART:
            self.marks.pop()
        self.marks = [*self.marks[1 - self.MARKS :], (now, number)]
        (began, first), (ended, last) = self.marks[0], self.marks[-1]
        return (last - first) / (ended - began) if ended - began >= self.LEAST and last > first else None
