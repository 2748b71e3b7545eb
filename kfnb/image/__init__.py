"""An image for notebooks on Kubeflow with kfnb in it: a folder that docker, podman or a CI builds."""

from kfnb.image.context import write
from kfnb.image.recipe import BASE, PYTHONS, Recipe, reading
from kfnb.image.spawner import added, entry

__all__ = ["BASE", "PYTHONS", "Recipe", "added", "entry", "reading", "write"]
