"""How manifests are shown."""

from __future__ import annotations

from kfnb.commands.display import Display
from kfnb.entities.manifest import Manifest
from kfnb.entities.manifest_json import manifest_data
from kfnb.resources.provenance.diff import ManifestDiff
from kfnb.resources.provenance.diff_view import diff_data, draw_manifest_diff
from kfnb.resources.provenance.view import draw_manifest

DISPLAYS = {
    Manifest: Display(draw_manifest, manifest_data),
    ManifestDiff: Display(draw_manifest_diff, diff_data),
}
