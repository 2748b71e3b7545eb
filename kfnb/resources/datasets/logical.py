"""The logical digest of a table or an array: the same for the same names, types, index and values.

It does not depend on the library that holds the values, on the file format, on how the values are split into chunks, or
on what is in memory below nulls. What is hashed is defined here alone, so that no version of a library changes it: for
each column its name, its type and its values as little-endian bytes, with nulls as zeros beside a bitmap.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any

_FORMAT = "kfnb-data-1"
_NARROW = {
    "large_string": "string",
    "string_view": "string",
    "large_binary": "binary",
    "binary_view": "binary",
}
_DEFAULTS: Mapping[str, tuple[str, ...]] = {
    "string": ("object", "str"),
    "double": ("float64",),
    "float": ("float32",),
    "halffloat": ("float16",),
    "bool": ("bool", "object"),
    "binary": ("object",),
}
"""By Arrow's type, the types that pandas gives to such a column without being asked."""
_NULLABLE = ("Int", "UInt", "Float", "boolean", "string")
"""How the names of pandas' types with their own nulls begin."""


def table_digest(table: Any) -> str:
    """The logical digest of a ``pyarrow.Table``. Raises ``ValueError`` for a type whose values cannot be read."""
    found = _FramedHash()
    pandas = _pandas_metadata(table)
    types = {one["field_name"]: str(one["numpy_type"]) for one in pandas.get("columns", ())}
    found.text("table", table.num_rows, _index(pandas, table.num_rows), _labels(pandas))
    for name, column in zip(table.column_names, table.columns, strict=True):
        found.text("column", name, _dtype(str(column.type), types.get(name, "")))
        found.array(_whole(column))
    return found.hexdigest()


def array_digest(array: Any) -> str:
    """The logical digest of a numpy array without Python objects: its type, its shape and its values in C order."""
    import numpy as np

    found = _FramedHash()
    plain = np.ascontiguousarray(array).reshape(array.shape)
    if not plain.dtype.isnative:
        plain = plain.astype(plain.dtype.newbyteorder("="))
    found.text("array", _type_of(plain.dtype), list(plain.shape))
    found.raw(plain.reshape(-1).view("u1") if plain.size else b"")
    return found.hexdigest()


def group_digest(digests: Mapping[str, str]) -> str:
    """The logical digest of several tables and arrays by their names, in any order."""
    found = _FramedHash()
    found.text("group", sorted(digests.items()))
    return found.hexdigest()


class _FramedHash:
    """A hash in which neither lengths nor borders can be confused."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256(_FORMAT.encode())

    def hexdigest(self) -> str:
        return self._hash.hexdigest()

    def text(self, *parts: Any) -> None:
        self.raw(json.dumps(parts, sort_keys=True).encode())

    def raw(self, data: Any) -> None:
        view = memoryview(data)
        self._hash.update(view.nbytes.to_bytes(8, "little"))
        self._hash.update(view)

    def array(self, array: Any) -> None:
        """An Arrow array, type and all."""
        import pyarrow as pa

        kind = array.type
        if isinstance(array, pa.ExtensionArray):
            self.text("extension", str(kind))
            self.array(array.storage)
            return
        if pa.types.is_dictionary(kind):
            self._categories(array)
            return
        if pa.types.is_null(kind):
            self.text("null", len(array))
            return
        self.text(_NARROW.get(str(kind), _shape(kind)), len(array), array.null_count)
        if array.null_count:
            self.raw(_bits(array.is_valid()))
        self._values(array)

    def _categories(self, array: Any) -> None:
        """Categories in their order, with those that no value has, and the places of the values in them."""
        import pyarrow as pa

        self.text("categories", bool(array.type.ordered))
        self.array(array.dictionary)
        self.array(array.indices.cast(pa.int64()))

    def _values(self, array: Any) -> None:
        import pyarrow as pa

        kind = array.type
        if pa.types.is_boolean(kind):
            self.raw(_bits(array.fill_null(False)))  # noqa: FBT003 - Arrow's value
        elif _is_text(kind):
            self._texts(array)
        elif pa.types.is_struct(kind):
            for place, part in enumerate(array.flatten()):
                self.text("field", kind.field(place).name)
                self.array(part)
        elif _is_list(kind):
            self._lists(array)
        else:
            self.raw(_fixed(array))

    def _texts(self, array: Any) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        text = (
            pa.types.is_string(array.type)
            or pa.types.is_large_string(array.type)
            or "string" in str(array.type)
        )
        wide = array.cast(pa.large_string() if text else pa.large_binary())
        wide = wide.fill_null("" if text else b"") if wide.null_count else wide
        self.raw(_fixed(pc.binary_length(wide)))
        _, offsets, data = wide.buffers()
        if data is None or not len(wide):
            self.raw(b"")
            return
        places = memoryview(offsets).cast("B").cast("q")
        self.raw(memoryview(data)[places[wide.offset] : places[wide.offset + len(wide)]])

    def _lists(self, array: Any) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        if pa.types.is_map(array.type):
            item = pa.struct([("key", array.type.key_type), ("value", array.type.item_type)])
            array = array.cast(pa.list_(item))
        lengths = pc.list_value_length(array)
        self.raw(_fixed(lengths.cast(pa.int64())))
        self.array(array.filter(array.is_valid()).flatten())


def _whole(column: Any) -> Any:
    """A column as one array."""
    import pyarrow as pa

    if column.num_chunks == 1:
        return column.chunk(0)
    if pa.types.is_string(column.type) or pa.types.is_binary(column.type):
        # more than 2 GB of text do not fit into one array of the narrow type
        column = column.cast(pa.large_string() if pa.types.is_string(column.type) else pa.large_binary())
    if pa.types.is_dictionary(column.type):
        column = column.unify_dictionaries()
    found = column.combine_chunks()
    return found.chunk(0) if isinstance(found, pa.ChunkedArray) else found


def _fixed(array: Any) -> Any:
    """The bytes of values of a fixed width, with zeros for nulls."""
    import numpy as np
    import pyarrow as pa

    width = array.type.bit_width // 8
    if not len(array):
        return b""
    buffer = array.buffers()[1]
    start = array.offset * width
    values = np.frombuffer(buffer, dtype="u1", count=len(array) * width, offset=start).reshape(-1, width)
    if array.null_count:
        missing = np.asarray(array.is_null().to_numpy(zero_copy_only=False))
        values = values.copy()
        values[missing] = 0
    swapped = sys.byteorder == "big" and not pa.types.is_fixed_size_binary(array.type)
    return np.ascontiguousarray(values[:, ::-1] if swapped else values).reshape(-1)


def _bits(array: Any) -> bytes:
    """An Arrow array of truth values without nulls, eight to a byte."""
    import numpy as np

    return np.packbits(array.to_numpy(zero_copy_only=False)).tobytes()


def _is_text(kind: Any) -> bool:
    return str(kind) in ("string", "binary", *_NARROW)


def _is_list(kind: Any) -> bool:
    return str(kind).startswith(
        ("list<", "large_list<", "fixed_size_list<", "map<", "list_view<", "large_list_view<")
    )


def _shape(kind: Any) -> str:
    """The name of a type without those of its parts, which are hashed with their values."""
    if _is_list(kind):
        return "map" if str(kind).startswith("map<") else "list"
    return "struct" if str(kind).startswith("struct<") else str(kind)


def _type_of(dtype: Any) -> Any:
    """A numpy type as JSON; the byte order left out, as values are hashed in that of this machine."""
    if dtype.names is None:
        return dtype.str[1:] if dtype.subdtype is None else [_type_of(dtype.base), list(dtype.shape)]
    return [[name, _type_of(dtype.fields[name][0]), dtype.fields[name][1]] for name in dtype.names]


# -- what pandas adds ---------------------------------------------------------------------------------------------


def _pandas_metadata(table: Any) -> dict[str, Any]:
    """What pandas keeps of a frame beside Arrow's schema; empty for a table that is not pandas'."""
    data = (table.schema.metadata or {}).get(b"pandas")
    try:
        found = json.loads(data) if data else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _index(pandas: Mapping[str, Any], rows: int) -> list[Any]:
    """The index: names of columns, or a range; empty for the numbers from 0 on, which any table has."""
    found = []
    for one in pandas.get("index_columns", ()):
        plain = {"kind": "range", "name": None, "start": 0, "stop": rows, "step": 1}
        if one != plain:
            found.append(one)
    return found


def _labels(pandas: Mapping[str, Any]) -> list[Any]:
    """What is special about the names of the columns: their own name, or that they are not texts."""
    return [
        [one.get("name"), one.get("pandas_type")]
        for one in pandas.get("column_indexes", ())
        if one.get("name") is not None or one.get("pandas_type") not in ("unicode", "string", "empty")
    ]


def _dtype(kind: str, pandas: str) -> str:
    """The type in pandas where it is another than the usual one for that type of Arrow; else empty."""
    kind = _NARROW.get(kind, kind)
    usual: Iterable[str] = _DEFAULTS.get(kind, (kind,))
    return pandas if pandas.startswith(_NULLABLE) and pandas not in usual else ""
