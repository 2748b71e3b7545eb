"""``draw_uploads``: a table of uploaded pipelines."""

from __future__ import annotations

from collections.abc import Sequence

from kfnb.resources.uploads.model import UploadedPipeline
from kfnb.ui.blocks import Text, bundle
from kfnb.ui.table import Column, Table, TableCell, Value
from kfnb.ui.words import moment

COLUMNS = (
    Column("Pipeline"),
    Column("Version"),
    Column("Uploaded", whole=True),
    Column("Id", whole=True),
    Column("Description"),
)


def draw_uploads(uploads: Sequence[UploadedPipeline]) -> dict[str, str]:
    """Uploaded pipelines as a mimebundle: a version in each row, in the order given."""
    if not uploads:
        return bundle("Uploaded pipelines", [Text("No pipelines were uploaded yet.")])
    rows: list[list[Value]] = [
        [
            TableCell(one.name, link=one.url),
            one.version,
            moment(one.created),
            TableCell(one.version_id or one.id, code=True),
            one.description,
        ]
        for one in uploads
    ]
    return bundle("Uploaded pipelines", [Table("Uploaded pipelines", COLUMNS, rows).without_empty_columns()])
