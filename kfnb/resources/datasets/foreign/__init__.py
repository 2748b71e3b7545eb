"""What other tools keep the versions of: tables of Delta Lake and Iceberg, and files that DVC tracks.

Each is one file of a version by reference. Its tag is the tool's own version, and nothing is copied.
"""

from kfnb.resources.datasets.foreign.tools import (
    cannot_be_published,
    entry_of,
    is_foreign,
    is_table,
    state,
    stream,
)

__all__ = ["cannot_be_published", "entry_of", "is_foreign", "is_table", "state", "stream"]
