"""The settings of a component's task, as statements of KFP's SDK."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from kfnb.capture.component import Component
from kfnb.capture.pod import PodSettings
from kfnb.text.quantity import times


def option_statements(task: str, component: Component) -> Iterator[ast.stmt]:
    """The statements that apply a component's options to the task in the variable ``task``."""
    calls = "".join(_own_calls(component))
    if calls:
        yield _statement(f"{task}{calls}")
    for call in _kubernetes_calls(task, component.options.pod):
        yield _statement(f"kubernetes.{call}")


def _own_calls(component: Component) -> Iterator[str]:
    options, pod = component.options, component.options.pod
    processes = options.training.size if options.training else 1
    if pod.cpu:
        yield f".set_cpu_limit({times(pod.cpu, processes)!r})"
    if pod.memory:
        yield f".set_memory_limit({times(pod.memory, processes)!r})"
    if pod.gpu:
        yield f".set_accelerator_type({pod.accelerator!r}).set_accelerator_limit({pod.gpu * processes})"
    if options.retries:
        yield f".set_retry({options.retries}, backoff_duration='1s')"
    if not options.cache or component.outside or component.variables.all:
        yield ".set_caching_options(False)"
    if options.seed is not None and all(one.name != "PYTHONHASHSEED" for one in pod.env):
        yield f".set_env_variable('PYTHONHASHSEED', '{options.seed}')"
    for variable in pod.env:
        yield f".set_env_variable({variable.name!r}, {variable.value!r})"


def _kubernetes_calls(task: str, pod: PodSettings) -> Iterator[str]:
    for held in pod.keys:
        keys = {held.key: held.name}
        yield (
            f"use_{held.holder}_as_env({task}, {held.holder}_name={held.source!r}, {held.holder}_key_to_env={keys!r})"
        )
    for folder in pod.folders:
        mount = "mount_pvc" if folder.holder == "pvc" else f"use_{folder.holder}_as_volume"
        yield f"{mount}({task}, {folder.holder}_name={folder.source!r}, mount_path={folder.path!r})"
    for label in pod.node_labels:
        yield f"add_node_selector({task}, label_key={label.key!r}, label_value={label.value!r})"
    for taint in pod.tolerations:
        arguments = {"key": taint.key, "operator": "Exists" if taint.value is None else "Equal"}
        arguments |= {} if taint.value is None else {"value": taint.value}
        arguments |= {"effect": taint.effect} if taint.effect else {}
        yield f"add_toleration({task}, {', '.join(f'{name}={value!r}' for name, value in arguments.items())})"
    if pod.pull_secrets:
        yield f"set_image_pull_secrets({task}, {list(pod.pull_secrets)!r})"
    if pod.timeout:
        yield f"set_timeout({task}, {pod.timeout})"


def _statement(text: str) -> ast.stmt:
    return ast.parse(text).body[0]
