"""How settings are shown."""

from __future__ import annotations

from kfnb.commands.display import Display
from kfnb.resources.settings.view import draw_settings
from kfnb.settings import Kfnb

DISPLAYS: dict[type, Display] = {
    Kfnb: Display(lambda settings: draw_settings(settings.items()), lambda settings: list(settings.items())),
}
