"""The command of images for notebooks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kfnb.commands.command import Command, option, repeated
from kfnb.commands.session import Session
from kfnb.errors import UsageError
from kfnb.resources.images.context import write
from kfnb.resources.images.recipe import BASE, PYTHONS, Recipe, reading
from kfnb.resources.images.spawner_entry import added, entry, unknown


@dataclass(frozen=True, kw_only=True)
class WriteImage(Command):
    """Write a build folder for an image: for notebooks on Kubeflow, with kfnb and your packages."""

    name: str = option(default="", metavar="NAME:TAG", help="the image's name; steps run in the image, too")
    to: str = option(default="kfnb-image", metavar="FOLDER", help="the folder (default kfnb-image)")
    base: str = option(
        nargs="?",
        const=BASE,
        default="",
        metavar="NAME:TAG",
        help=f"build on one of Kubeflow's Jupyter images (default {BASE}) instead of Python's slim image",
    )
    python: str = option(choices=PYTHONS, default="3.12", help="the slim image's Python (default 3.12)")
    kfnb: str = option(
        default="",
        metavar="VERSION|WHEEL",
        help="version of kfnb, or the path of a wheel (default: the installed version)",
    )
    package: tuple[str, ...] = repeated(metavar="NAME==VERSION", help="a package to install")
    requirements: str = option(default="", metavar="FILE", help="a requirements file of packages to install")
    spawner: str | None = option(
        nargs="?",
        const="",
        metavar="FILE",
        help="write the entry for spawner_ui_config.yaml, into a copy of FILE if that is given",
    )

    def run(self, session: Session) -> None:
        """Write the folder."""
        recipe, folder = self.recipe, Path(self.to)
        if self.spawner is not None and not recipe.name:
            raise UsageError(f"{session.prog}: --spawner requires --name NAME:TAG")
        offered = _offered(session, self.spawner, recipe.name) if self.spawner is not None else ""
        files = [*write(recipe, folder)]
        if offered:
            files.append(folder / ("spawner_ui_config.yaml" if self.spawner else "spawner-entry.yaml"))
            files[-1].write_text(offered, encoding="utf-8")
        for file in files:
            session.out(str(file))
        name = recipe.name or "NAME:TAG"
        session.notify(f"build and push it: docker build --tag {name} {folder} && docker push {name}")
        if not recipe.name:
            session.notify(
                "without --name, steps of pipelines run in Python's slim image and install what they need"
            )
        if offered:
            session.notify(
                f"offer it: {files[-1]} goes into spawner_ui_config.yaml, in the ConfigMap jupyter-web-app-config "
                "of Kubeflow's namespace"
            )

    @property
    def recipe(self) -> Recipe:
        """The image that is asked for. Raises ``UsageError``."""
        kfnb, wheel, requirements = reading(self.kfnb, self.requirements)
        return Recipe(self.name, self.base, self.python, kfnb, wheel, self.package, requirements)


def _offered(session: Session, file: str, name: str) -> str:
    """The entry alone, or a whole configuration with it."""
    if not file:
        return entry(name)
    import yaml

    try:
        text = added(Path(file).read_text(encoding="utf-8"), name)
    except (OSError, ValueError) as error:
        raise UsageError(f"--spawner {file}: {error}") from None
    for key in unknown(yaml.safe_load(text)):
        session.notify(f"{file}: Kubeflow's page ignores spawnerFormDefaults.{key}, as far as is known")
    return text
