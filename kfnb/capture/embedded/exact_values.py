"""Values as JSON that gives them back unchanged: types, keys and all.

What JSON itself keeps is written unchanged. Anything else is an object whose key ``$`` names its type. Tables, arrays
and estimators may go into files beside the JSON.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def kfnb_encode(value: Any, place: str, put: Callable[[Any], Any] | None = None) -> Any:
    """``value`` as JSON; ``put`` writes what JSON cannot hold, and returns how it is found, or None.

    Raises ``TypeError`` with the place of a part that has no safe form.
    """
    import json

    kind = type(value)
    name = kind.__name__
    if value is None or kind in (bool, str, int) or (kind is float and value - value == 0.0):
        return value
    if kind is list:
        return [kfnb_encode(item, f"{place}[{index}]", put) for index, item in enumerate(value)]
    if kind is dict and all(type(key) is str for key in value) and "$" not in value:
        return {key: kfnb_encode(item, f"{place}[{key!r}]", put) for key, item in value.items()}
    if name in ("dict", "OrderedDict", "Counter") and kind.__module__ in ("builtins", "collections"):
        pairs = [
            [kfnb_encode(key, f"a key of {place}", put), kfnb_encode(item, f"{place}[{key!r}]", put)]
            for key, item in value.items()
        ]
        return {"$": name, "value": pairs}
    if kind in (tuple, set, frozenset):
        items = [kfnb_encode(item, f"an item of {place}", put) for item in value]
        return {"$": name, "value": items if kind is tuple else sorted(items, key=json.dumps)}
    found = kfnb_encode_scalar(value)
    found = put(value) if put is not None and found is None else found
    if found is None:
        raise TypeError(
            f"{place} is a {kind.__module__}.{kind.__qualname__}, which cannot be saved safely: keep numbers, texts,"
            " times, lists, dicts, arrays, tables and scikit-learn estimators"
        )
    return found


def kfnb_encode_scalar(value: Any) -> Any:
    """A time, a number of numpy or pandas, or bytes; None for any other value."""
    import base64

    kind = type(value)
    name, module = kind.__name__, kind.__module__.partition(".")[0]
    found: Any = None
    if kind is bytes:
        found = base64.b64encode(value).decode()
    elif kind is float or (module == "decimal" and name == "Decimal"):
        found = str(value)
    elif module == "datetime" and name == "timedelta":
        found = [value.days, value.seconds, value.microseconds]
    elif module == "datetime" and name in ("date", "time", "datetime"):
        zone = kfnb_zone(value)
        local = value.replace(tzinfo=None) if zone else value
        fold = {"fold": 1} if getattr(value, "fold", 0) else {}  # an hour that a clock shows twice
        return None if zone is None else {"$": name, "value": local.isoformat(), "zone": zone, **fold}
    elif (
        module == "numpy" and name != "ndarray" and hasattr(value, "dtype") and value.dtype.kind in "biufUMm"
    ):
        item = int(value.astype("int64")) if value.dtype.kind in "Mm" else value.item()
        if type(item) in (bool, int, float, str):  # a longdouble is none
            return {"$": "numpy", "type": value.dtype.str, "value": kfnb_encode(item, name)}
    elif module == "pandas" and name in ("NaTType", "NAType"):
        found = name[:-4]
    elif module == "pandas" and name in ("Timestamp", "Timedelta"):
        zone = kfnb_zone(value)
        return (
            None if zone is None else {"$": name, "value": int(value.value), "zone": zone, "unit": value.unit}
        )
    return None if found is None else {"$": name, "value": found}


def kfnb_zone(value: Any) -> str | None:
    """The name of a time's zone: empty without one, ``UTC+01:00`` for an offset, None where it has no name."""
    zone = getattr(value, "tzinfo", None)
    if zone is None:
        return ""
    name = getattr(zone, "key", None) or getattr(zone, "zone", None) or str(zone)
    return name if isinstance(name, str) and ("/" in name or name.startswith("UTC")) else None


def kfnb_decode(stored: Any, get: Callable[[Any], Any] | None = None) -> Any:
    """The value of such JSON; ``get`` reads what ``put`` has written."""
    from collections import Counter, OrderedDict

    if isinstance(stored, list):
        return [kfnb_decode(item, get) for item in stored]
    if not isinstance(stored, dict):
        return stored
    if "$" not in stored:
        return {key: kfnb_decode(item, get) for key, item in stored.items()}
    name, value = stored["$"], stored.get("value")
    if name == "file" and get is not None:
        return get(stored)
    containers: dict[str, Callable[[Any], Any]] = {
        "dict": dict,
        "OrderedDict": OrderedDict,
        "Counter": lambda pairs: Counter(dict(pairs)),
        "tuple": tuple,
        "set": set,
        "frozenset": frozenset,
    }
    if name in containers:
        return containers[name](kfnb_decode(value, get))
    return kfnb_decode_scalar(name, value, stored)


def kfnb_decode_scalar(name: str, value: Any, stored: dict[str, Any]) -> Any:
    """The time, number or bytes of the type ``name``."""
    import base64
    import datetime
    import decimal
    from pkgutil import resolve_name

    zone = kfnb_of_zone(stored["zone"]) if stored.get("zone") else None
    if name in ("date", "time", "datetime"):
        found = getattr(datetime, name).fromisoformat(value)
        found = found.replace(tzinfo=zone) if zone else found
        return found.replace(fold=1) if "fold" in stored else found
    if name == "Timestamp":
        found = resolve_name("pandas.Timestamp")(value, unit="ns", tz="UTC").as_unit(stored["unit"])
        return found.tz_convert(zone) if zone else found.tz_localize(None)
    makers: dict[str, Callable[[], Any]] = {
        "bytes": lambda: base64.b64decode(value),
        "float": lambda: float(value),
        "Decimal": lambda: decimal.Decimal(value),
        "timedelta": lambda: datetime.timedelta(*value),
        "Timedelta": lambda: resolve_name("pandas.Timedelta")(value, unit="ns").as_unit(stored["unit"]),
        "NaTType": lambda: resolve_name("pandas.NaT"),
        "NAType": lambda: resolve_name("pandas.NA"),
        "numpy": lambda: resolve_name("numpy.array")(kfnb_decode(value)).astype(stored["type"])[()],
    }
    if name not in makers:
        raise ValueError(f"a value has the type {name!r}, which this version does not know")
    return makers[name]()


def kfnb_of_zone(name: str) -> Any:
    """The time zone of a name: ``Europe/Berlin``, ``UTC``, ``UTC+01:00``."""
    import datetime
    import zoneinfo

    if name == "UTC":
        return datetime.timezone.utc
    if name.startswith("UTC"):
        return datetime.datetime.fromisoformat(f"2000-01-01T00:00:00{name[3:]}").tzinfo
    return zoneinfo.ZoneInfo(name)
