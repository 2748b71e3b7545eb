"""The settings of a task in a compiled pipeline, as calls of KFP's DSL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kfnb.convert.task_order import exits

_RESOURCES = {
    "CpuLimit": "set_cpu_limit",
    "CpuRequest": "set_cpu_request",
    "MemoryLimit": "set_memory_limit",
    "MemoryRequest": "set_memory_request",
}


def calls_of(key: str, task: Mapping[str, Any], executor: Mapping[str, Any]) -> Iterator[str]:
    """The calls, each as it follows the task: ``set_retry(2)``."""
    if not task.get("cachingOptions", {}).get("enableCache"):
        yield "set_caching_options(False)"
    elif cache_key := task["cachingOptions"].get("cacheKey"):
        yield f"set_caching_options(True, cache_key={cache_key!r})"
    if retry := task.get("retryPolicy"):
        yield (
            f"set_retry({int(retry.get('maxRetryCount', 0))}, backoff_duration={retry.get('backoffDuration', '0s')!r},"
            f" backoff_factor={float(retry.get('backoffFactor', 2.0))!r},"
            f" backoff_max_duration={retry.get('backoffMaxDuration', '3600s')!r})"
        )
    if (title := task.get("taskInfo", {}).get("name", key)) != key:
        yield f"set_display_name({title!r})"
    if task.get("triggerPolicy", {}).get("strategy") and not exits(task):
        yield "ignore_upstream_failure()"
    container = executor.get("container") or {}
    for one in container.get("env") or ():
        yield f"set_env_variable({one['name']!r}, {one.get('value', '')!r})"
    yield from _resources(container.get("resources") or {})


def _resources(resources: Mapping[str, Any]) -> Iterator[str]:
    for word, call in _RESOURCES.items():
        if amount := resources.get(f"resource{word}"):
            yield f"{call}({amount!r})"
    accelerator = resources.get("accelerator") or {}
    if kind := accelerator.get("resourceType") or accelerator.get("type"):
        yield f"set_accelerator_type({kind!r})"
    if number := accelerator.get("resourceCount") or accelerator.get("count"):
        yield f"set_accelerator_limit({int(number)})"
