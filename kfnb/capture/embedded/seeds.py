"""How a step gets its seed: the global generators of random numbers start alike in each run."""

from __future__ import annotations

from typing import Any


def kfnb_seed(seed: int) -> Any:
    """Seed the global generators of random, numpy, torch, tensorflow and polars.

    Libraries that are imported later are seeded then, by the returned finder in ``sys.meta_path``. jax has no global
    generator; the hashes of texts are seeded before Python starts, by ``PYTHONHASHSEED``.
    """
    import operator
    import sys

    functions = {
        "random": "seed",
        "numpy.random": "seed",
        "torch": "manual_seed",
        "tensorflow": "random.set_seed",
        "polars": "set_random_seed",
    }

    def start(name: str) -> None:
        operator.attrgetter(functions[name])(sys.modules[name])(seed)

    class Seeding:
        """Finds modules as the other finders do, and seeds those that have a generator once they are executed."""

        @staticmethod
        def find_spec(name: str, path: Any = None, target: Any = None) -> Any:
            if name not in functions:
                return None
            others = [one for one in sys.meta_path if type(one).__name__ != "Seeding"]
            specs = (one.find_spec(name, path, target) for one in others if hasattr(one, "find_spec"))
            spec = next(filter(None, specs), None)
            loader: Any = getattr(spec, "loader", None)
            execute = getattr(loader, "exec_module", None)
            if execute is not None:

                def execute_and_start(module: Any) -> None:
                    execute(module)
                    start(name)

                loader.exec_module = execute_and_start
            return spec

    for name in functions:
        if name in sys.modules:
            start(name)
    finder = Seeding()
    sys.meta_path.insert(0, finder)
    return finder
