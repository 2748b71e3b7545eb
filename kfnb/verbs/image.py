"""The verb of images for notebooks."""

from __future__ import annotations

from pathlib import Path

from kfnb import options
from kfnb.commands.terminal import tell
from kfnb.errors import UsageError
from kfnb.resources.images.context import write
from kfnb.resources.images.spawner_entry import added, entry, unknown


def image(words: list[str]) -> int:
    """``kfnb image``."""
    found = options.image().read(words)
    recipe, folder = options.asked_image(found), Path(found.to)
    if found.spawner is not None and not recipe.name:
        raise UsageError("kfnb image: --spawner needs the image's name, --name NAME:TAG")
    offered = _offered(found.spawner, recipe.name) if found.spawner is not None else ""
    files = [*write(recipe, folder)]
    if offered:
        files.append(folder / ("spawner_ui_config.yaml" if found.spawner else "spawner-entry.yaml"))
        files[-1].write_text(offered, encoding="utf-8")
    for file in files:
        print(file)
    name = recipe.name or "NAME:TAG"
    tell(f"build and push it: docker build --tag {name} {folder} && docker push {name}")
    if not recipe.name:
        tell("without --name, steps of pipelines run in Python's slim image and install what they need")
    if offered:
        tell(
            f"offer it: {files[-1]} goes into spawner_ui_config.yaml, in the ConfigMap jupyter-web-app-config "
            "of Kubeflow's namespace"
        )
    return 0


def _offered(file: str, name: str) -> str:
    """The entry alone, or a whole configuration with it."""
    if not file:
        return entry(name)
    import yaml

    try:
        text = added(Path(file).read_text(encoding="utf-8"), name)
    except (OSError, ValueError) as error:
        raise UsageError(f"--spawner {file}: {error}") from None
    for key in unknown(yaml.safe_load(text)):
        tell(f"{file}: Kubeflow's page passes over spawnerFormDefaults.{key}, as far as is known")
    return text
