"""Components that the tests' pipelines are made of."""

# steps are as a notebook's user writes them, or as KFP wants them
# ruff: noqa: PTH123, UP006, UP035

import functools
from typing import List

from kfp import dsl

component = functools.partial(dsl.component, base_image="python:3.11-slim")


@component
def add(a: int, b: int) -> int:
    return a + b


@component
def number(value: int) -> int:
    return value


@component
def real(value: float) -> float:
    return value


@component
def word(value: str) -> str:
    return value


@component
def total(values: list) -> int:
    return sum(values)


@component
def numbers(upto: int) -> List[int]:
    return list(range(upto))


@component
def same(value: list) -> list:
    return value


@component
def fail(message: str) -> str:
    raise ValueError(message)


@component
def write(text: str, out: dsl.Output[dsl.Dataset]):
    with open(out.path, "w") as file:
        file.write(text)
    out.metadata["length"] = len(text)


@component
def read(data: dsl.Input[dsl.Dataset]) -> str:
    with open(data.path) as file:
        return file.read()


@component
def read_all(data: dsl.Input[list[dsl.Dataset]]) -> str:
    return ",".join(open(item.path).read() for item in data)


@component
def nap(seconds: float):
    import time

    time.sleep(seconds)
