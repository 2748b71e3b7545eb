"""Where runs register the models that their steps save."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kfnb.settings import owner

if TYPE_CHECKING:
    from kfnb.resources.models.local.saved_models import Destination


def destination() -> Destination:
    """Where the models that runs save are registered, now."""
    from kfnb.resources.datasets.root import store_root
    from kfnb.resources.models.local.saved_models import Destination
    from kfnb.resources.models.location import registry_folder

    return Destination(registry_folder(), store_root(), owner())
