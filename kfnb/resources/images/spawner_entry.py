"""An image's entry in ``spawner_ui_config.yaml``, from which Kubeflow's page for new notebooks has its images."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

from kfnb.errors import UsageError

_PATH = ("spawnerFormDefaults", "image", "options")


def entry(name: str) -> str:
    """The part of the configuration that offers an image."""
    return f"""\
# spawner_ui_config.yaml: Jupyter-like images, whose path NB_PREFIX sets, are those of "image"
spawnerFormDefaults:
  image:
    value: {name}
    options:
    - {name}
"""


def added(text: str, name: str) -> str:
    """A whole configuration with the image among its options; all else in it stays as it is written.

    Raises ``UsageError`` for what is not such a configuration.
    """
    import yaml

    try:
        config, root = yaml.safe_load(text), yaml.compose(text)
    except yaml.YAMLError as error:
        raise UsageError(
            f"the spawner's configuration is not valid YAML: {' '.join(str(error).split())}"
        ) from None
    check(config)
    options = _child(root, _PATH)
    if name in [item.value for item in options.value]:
        return text
    column = options.start_mark.column
    if options.flow_style or not options.value:
        items = [item.value for item in options.value]
        listed = "[" + ", ".join(json.dumps(one) for one in [*items, name]) + "]"
        return text[: options.start_mark.index] + listed + text[options.end_mark.index :]
    lines = text.splitlines(keepends=True)
    last = options.value[-1].end_mark.line
    if not lines[last].endswith("\n"):
        lines[last] += "\n"
    return "".join([*lines[: last + 1], f"{' ' * column}- {name}\n", *lines[last + 1 :]])


def check(config: Any) -> None:
    """Raise ``UsageError`` for a configuration that Kubeflow's page would stumble over."""
    from jsonschema import Draft202012Validator

    if not isinstance(config, dict) or "spawnerFormDefaults" not in config:
        hint = " (a ConfigMap: give what is in its data)" if _is_config_map(config) else ""
        raise UsageError(f"the spawner's configuration has no spawnerFormDefaults{hint}")
    errors = list(Draft202012Validator(schema()).iter_errors(config))
    if errors:
        first = min(errors, key=lambda one: list(map(str, one.absolute_path)))
        place = ".".join(map(str, first.absolute_path))
        raise UsageError(f"the spawner's configuration, {place}: {first.message}")


def unknown(config: Mapping[str, Any]) -> list[str]:
    """The keys that Kubeflow's page passes over, as it did from 1.7 to 26.03: misspelt, or of a later one."""
    known = schema()["properties"]["spawnerFormDefaults"]["properties"]
    return [name for name in config["spawnerFormDefaults"] if name not in known]


def schema() -> Mapping[str, Any]:
    """What the page reads, as JSON Schema."""
    text = (
        resources.files("kfnb.resources.images").joinpath("spawner.schema.json").read_text(encoding="utf-8")
    )
    found: Mapping[str, Any] = json.loads(text)
    return found


def _is_config_map(config: Any) -> bool:
    return isinstance(config, dict) and config.get("kind") == "ConfigMap"


def _child(node: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        node = next(value for key, value in node.value if key.value == name)
    return node
