"""The global generators of random numbers that a cell has drawn from."""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass
from typing import Any

GENERATORS = frozenset({"random", "numpy", "torch"})
"""The modules that have a global generator."""


@dataclass(frozen=True)
class Draws:
    """The states of the global generators at one moment, by module."""

    states: dict[str, Any]

    @classmethod
    def now(cls) -> Draws:
        """The current states, of libraries that are loaded."""
        states: dict[str, Any] = {"random": random.getstate()}
        if (numpy := sys.modules.get("numpy")) is not None:
            _, key, *place = numpy.random.get_state()
            states["numpy"] = (key.tobytes(), *place)
        if (torch := sys.modules.get("torch")) is not None:
            states["torch"] = torch.get_rng_state().numpy().tobytes()
        return cls(states)

    def unmoved(self) -> set[str]:
        """The modules whose generators are absent or unchanged: nothing was drawn from them since."""
        now = Draws.now().states
        return {
            module
            for module in GENERATORS
            if module not in self.states or now.get(module) == self.states[module]
        }
