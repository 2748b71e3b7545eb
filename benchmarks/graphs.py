"""The pipelines that the local engine is measured with: ordinary KFP, with trivial steps.

``install`` is KFP's own ``install_kfp_package``: whether a step first installs kfp, as it does unless told otherwise.
"""

import functools
from collections.abc import Callable
from typing import Any

from kfp import dsl


def chain(length: int, *, install: bool) -> Any:
    """``length`` tasks, each after the other."""
    step = _step(install)

    def work() -> None:
        value: Any = 1
        for _ in range(length):
            value = step(value=value).output

    return dsl.pipeline(name="chain")(work)


def independent(count: int, *, install: bool) -> Any:
    """``count`` tasks that need nothing."""
    step = _step(install)

    def work() -> None:
        for number in range(count):
            step(value=number)

    return dsl.pipeline(name="independent")(work)


def sleepers(count: int, *, install: bool) -> Any:
    """A loop of ``count`` tasks that sleep for a second, all of them allowed at once."""
    sleep = _component(install)(_sleep)

    def work() -> None:
        with dsl.ParallelFor(list(range(count)), parallelism=count) as item:
            sleep(value=item)

    return dsl.pipeline(name="sleepers")(work)


def burners(count: int, *, install: bool) -> Any:
    """``count`` tasks that keep a core busy for a second."""
    burn = _component(install)(_burn)

    def work() -> None:
        for _ in range(count):
            burn()

    return dsl.pipeline(name="burners")(work)


def loop(count: int, *, install: bool) -> Any:
    """A ParallelFor over ``count`` items."""
    step = _step(install)

    def work() -> None:
        with dsl.ParallelFor(list(range(count))) as item:
            step(value=item)

    return dsl.pipeline(name="loop")(work)


SHAPES: dict[str, Callable[..., Any]] = {
    "chain": chain,
    "independent": independent,
    "sleepers": sleepers,
    "burners": burners,
    "loop": loop,
}


def _component(install: bool) -> Any:
    return functools.partial(dsl.component, base_image="python:3.11-slim", install_kfp_package=install)


def _step(install: bool) -> Any:
    return _component(install)(_next)


def _next(value: int) -> int:
    return value + 1


def _sleep(value: int) -> int:
    import time

    time.sleep(1)
    return value


def _burn() -> None:
    import time

    while time.process_time() < 1:
        sum(range(10_000))
