"""Values as JSON that gives them back unchanged: types, keys and all.

What JSON itself keeps is written as it is. Anything else is an object whose key ``$`` names its type. Tables, arrays and
estimators go into files beside the JSON.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def kfnb_encode(value: Any, put: Callable[[Any], Any], place: str = "state") -> Any:
    """``value`` as JSON; ``put`` writes a value into a file, and returns how it is found, or None if it cannot.

    Raises ``TypeError`` with the place of a part that has no safe form.
    """
    kind = type(value)
    if value is None or kind in (bool, str, int):
        return value
    if kind is float:
        return value if value - value == 0.0 else {"$": "float", "value": repr(value)}
    if kind is list:
        return [kfnb_encode(item, put, f"{place}[{index}]") for index, item in enumerate(value)]
    if kind is dict and all(type(key) is str for key in value) and "$" not in value:
        return {key: kfnb_encode(item, put, f"{place}[{key!r}]") for key, item in value.items()}
    found = kfnb_encode_container(value, put, place)
    found = kfnb_encode_scalar(value) if found is None else found
    found = put(value) if found is None else found
    if found is None:
        raise TypeError(
            f"{place} is a {kind.__module__}.{kind.__qualname__}, which cannot be saved safely: keep numbers, texts, times,"
            " lists, dicts, arrays, tables and scikit-learn estimators"
        )
    return found


def kfnb_encode_container(value: Any, put: Callable[[Any], Any], place: str) -> Any:
    """A container of Python's that JSON does not have; None for any other value."""
    import json

    kind = type(value)
    name = kind.__name__
    if kind.__module__ not in ("builtins", "collections"):
        return None
    if name in ("dict", "OrderedDict", "Counter"):
        pairs = [
            [kfnb_encode(key, put, f"a key of {place}"), kfnb_encode(item, put, f"{place}[{key!r}]")]
            for key, item in value.items()
        ]
        return {"$": name, "items": pairs}
    if name in ("tuple", "set", "frozenset"):
        items = [kfnb_encode(item, put, f"{place}[{index}]") for index, item in enumerate(value)]
        return {"$": name, "items": items if name == "tuple" else sorted(items, key=json.dumps)}
    return None


def kfnb_encode_scalar(value: Any) -> Any:
    """A time, a number of numpy, bytes or a type of pandas; None for any other value."""
    import base64

    kind = type(value)
    name, module = kind.__name__, kind.__module__.partition(".")[0]
    found: Any = None
    if kind is bytes:
        found = base64.b64encode(value).decode()
    elif kind in (complex, range):
        found = repr(value) if kind is complex else [value.start, value.stop, value.step]
    elif module == "decimal" and name == "Decimal":
        found = str(value)
    elif module == "datetime" and name == "timedelta":
        found = [value.days, value.seconds, value.microseconds]
    elif module == "datetime" and name in ("date", "time", "datetime") and kfnb_zone(value) is not None:
        return {"$": name, "value": value.isoformat(), "zone": kfnb_zone(value)}
    elif module == "numpy" and name != "ndarray" and hasattr(value, "dtype") and value.dtype.kind in "biufUMm":
        text = value.dtype.kind in "Mm"
        item = int(value.astype("int64")) if text else value.item()
        if value.dtype.itemsize <= 8 or value.dtype.kind == "U":  # a longdouble has no exact text
            return {"$": "numpy", "type": value.dtype.str, "value": kfnb_encode(item, lambda _: None)}
    elif module == "pandas" and name in ("NaTType", "NAType"):
        return {"$": name}
    elif module == "pandas" and name in ("Timestamp", "Timedelta"):
        zone = kfnb_zone(value) if name == "Timestamp" else ""
        return None if zone is None else {"$": name, "value": int(value.value), "zone": zone, "unit": value.unit}
    return None if found is None else {"$": name, "value": found}


def kfnb_zone(value: Any) -> str | None:
    """The name of a time's zone: empty without one, ``UTC+01:00`` for an offset, None where it has no name."""
    import datetime

    zone = getattr(value, "tzinfo", None)
    if zone is None:
        return ""
    if type(zone) is datetime.timezone:
        return str(zone) if str(zone).startswith("UTC") else None
    name = getattr(zone, "key", None) or getattr(zone, "zone", None)
    return name if isinstance(name, str) else None


def kfnb_decode(stored: Any, get: Callable[[Any], Any]) -> Any:
    """The value that ``kfnb_encode`` wrote; ``get`` reads what its ``put`` has written."""
    if isinstance(stored, list):
        return [kfnb_decode(item, get) for item in stored]
    if not isinstance(stored, dict):
        return stored
    if "$" not in stored:
        return {key: kfnb_decode(item, get) for key, item in stored.items()}
    import collections

    name = stored["$"]
    if name == "file":
        return get(stored)
    if name in ("dict", "OrderedDict", "Counter"):
        kind = dict if name == "dict" else getattr(collections, name)
        return kind({kfnb_decode(key, get): kfnb_decode(item, get) for key, item in stored["items"]})
    if name in ("tuple", "set", "frozenset"):
        kinds = {"tuple": tuple, "set": set, "frozenset": frozenset}
        return kinds[name](kfnb_decode(item, get) for item in stored["items"])
    return kfnb_decode_scalar(stored)


def kfnb_decode_scalar(stored: dict[str, Any]) -> Any:
    """The time, number, text or type that ``kfnb_encode_scalar`` wrote."""
    import base64
    import datetime
    from pkgutil import resolve_name

    name, value = stored["$"], stored.get("value")
    if name in ("date", "time", "datetime"):
        found = getattr(datetime, name).fromisoformat(value)
        return found.replace(tzinfo=kfnb_of_zone(stored["zone"])) if stored["zone"] else found
    if name in ("NaTType", "NAType"):
        return resolve_name({"NaTType": "pandas.NaT", "NAType": "pandas.NA"}[name])
    if name == "Timestamp":
        found = resolve_name("pandas.Timestamp")(value, unit="ns", tz="UTC").as_unit(stored["unit"])
        zone = stored["zone"]
        return found.tz_convert(kfnb_of_zone(zone)) if zone else found.tz_localize(None)
    if name == "Timedelta":
        return resolve_name("pandas.Timedelta")(value, unit="ns").as_unit(stored["unit"])
    if name == "numpy":
        array = resolve_name("numpy.array")(kfnb_decode(value, lambda _: None))
        whole = array.astype("int64") if stored["type"][1] in "Mm" else array
        return whole.astype(stored["type"])[()]
    makers: dict[str, Callable[[Any], Any]] = {
        "bytes": base64.b64decode,
        "complex": complex,
        "float": float,
        "range": lambda parts: range(*parts),
        "timedelta": lambda parts: datetime.timedelta(*parts),
        "Decimal": resolve_name("decimal.Decimal"),
    }
    if name not in makers:
        raise ValueError(f"a value has the type {name!r}, which this version does not know")
    return makers[name](value)


def kfnb_of_zone(name: str) -> Any:
    """The time zone of a name: ``Europe/Berlin``, ``UTC``, ``UTC+01:00``."""
    import datetime

    if name == "UTC":
        return datetime.timezone.utc
    if name.startswith("UTC"):
        return datetime.datetime.fromisoformat(f"2000-01-01T00:00:00{name[3:]}").tzinfo
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)
