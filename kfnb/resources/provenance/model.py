"""The data of manifests, which other nouns use too."""

from kfnb.entities.manifest import InstalledPackage, Layer, LayerName, Manifest, StepEnvironment

__all__ = ["InstalledPackage", "Layer", "LayerName", "Manifest", "StepEnvironment"]
