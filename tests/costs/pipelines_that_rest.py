"""A pipeline whose step takes time, and keeps a core meanwhile."""

from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def rest(seconds: float) -> int:
    import time

    time.sleep(seconds)
    return 1


@dsl.pipeline(name="resting")
def resting(seconds: float = 60.0):
    rest(seconds=seconds).set_cpu_request("1").set_cpu_limit("1").set_caching_options(False)
