"""How uploaded pipelines are shown."""

from __future__ import annotations

from dataclasses import asdict

from kfnb.commands.display import Display
from kfnb.resources.uploads.model import UploadedPipeline, UploadList
from kfnb.resources.uploads.view import draw_uploads

DISPLAYS = {
    UploadList: Display(draw_uploads, lambda listed: [asdict(one) for one in listed]),
    UploadedPipeline: Display(lambda one: draw_uploads([one]), lambda one: [asdict(one)]),
}
