"""Secrets and config maps, read from the user's files instead of a cluster: the setting ``secrets``.

It is a folder or a YAML file (``KFNB_SECRETS``). In a folder, the secret ``db`` is a folder ``db`` with a file a key,
as Kubernetes mounts one, or a file ``db.env`` of lines ``KEY=value``. A YAML file maps names to keys to values, or
holds manifests (``kind: Secret`` or ``ConfigMap``), as ``kubectl get -o yaml`` prints them. Values are read when a
step starts, and not stored.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kfnb.errors import Code, KfnbError

HOW = "set secrets (KFNB_SECRETS) to a folder with NAME/KEY or NAME.env, or to a YAML file"


class SecretsUnreadable(KfnbError):
    """The files of the setting ``secrets`` cannot be read."""

    code: Code = "unreadable"


class Secrets:
    """The secrets and config maps at ``place``, a folder or a file; empty for none."""

    def __init__(self, place: str) -> None:
        self._place = Path(place).expanduser() if place else None

    def find(self, name: str) -> Mapping[str, bytes] | None:
        """The keys of the secret or config map ``name``, if it exists. Raises ``SecretsUnreadable``."""
        if self._place is None or not name or Path(name).name != name:
            return None
        try:
            if self._place.is_dir():
                return _in_folder(self._place, name)
            return dict(_in_file(self._place)).get(name)
        except (OSError, ValueError) as error:
            raise SecretsUnreadable(f"cannot read the secrets in {self._place}: {error}") from None

    def lacks(self, kind: str, name: str, key: str = "") -> str:
        """A message if the secret ``name``, or its ``key``, is missing; else empty."""
        found = self.find(name)
        if found is None:
            return f"the {kind} {name}, which is not {f'in {self._place}' if self._place else 'known'}: {HOW}"
        if key and key not in found:
            return f"the key {key} of the {kind} {name}, which has {', '.join(found) or 'none'}"
        return ""


def _in_folder(place: Path, name: str) -> Mapping[str, bytes] | None:
    folder, file = place / name, place / f"{name}.env"
    if folder.is_dir():
        # Kubernetes' mounts contain internal names that begin with two dots
        return {item.name: item.read_bytes() for item in sorted(folder.iterdir()) if item.is_file()}
    if file.is_file():
        return dict(_lines(file.read_text(encoding="utf-8")))
    return None


def _lines(text: str) -> Iterator[tuple[str, bytes]]:
    for line in text.splitlines():
        key, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and not key.startswith("#"):
            value = value.strip()
            quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
            yield key.strip(), (value[1:-1] if quoted else value).encode()


def _in_file(file: Path) -> Iterator[tuple[str, Mapping[str, bytes]]]:
    import yaml

    try:
        documents = list(yaml.safe_load_all(file.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None
    for document in documents:
        if not isinstance(document, dict):
            raise ValueError("it is not a mapping of names to keys to values")  # noqa: TRY004 - the file is at fault
        if document.get("kind") in ("Secret", "ConfigMap"):
            yield str(document.get("metadata", {}).get("name", "")), _manifest(document)
        else:
            yield from ((name, _keys(name, keys)) for name, keys in document.items())


def _keys(name: str, keys: Any) -> Mapping[str, bytes]:
    if not isinstance(keys, dict):
        raise ValueError(f"{name} is not a mapping of keys to values")  # noqa: TRY004 - the file is at fault
    return {str(key): str(value).encode() for key, value in keys.items()}


def _manifest(document: Mapping[str, Any]) -> Mapping[str, bytes]:
    encoded = {**(document.get("binaryData") or {})}
    plain = {**(document.get("stringData") or {})}
    (encoded if document["kind"] == "Secret" else plain).update(document.get("data") or {})
    try:
        decoded = {key: base64.b64decode(value, validate=True) for key, value in encoded.items()}
    except binascii.Error:
        raise ValueError(f"{document['metadata']['name']} holds a value that is not base64") from None
    return decoded | {key: str(value).encode() for key, value in plain.items()}
