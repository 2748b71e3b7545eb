"""How to reach a run's object store, as KFP records it with the run: untrusted data, checked before use."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class StoreSession:
    """KFP's ``store_session_info``: an endpoint, a region, and where the credentials are.

    ``secret`` names a secret of the namespace, empty where they are in the environment; the others name its keys
    (``token_key`` is Google's).
    """

    provider: str = ""
    endpoint: str = ""
    region: str = ""
    secure: bool = True
    path_style: bool = True
    secret: str = ""
    access_key: str = "accesskey"
    secret_key: str = "secretkey"  # noqa: S105 - the name of a key within a secret
    token_key: str = ""

    @classmethod
    def parse(cls, text: object) -> StoreSession:
        """Read it from JSON; empty for anything else."""
        try:
            fields = json.loads(text) if isinstance(text, str) else None
        except (ValueError, RecursionError):
            fields = None
        fields = fields if isinstance(fields, dict) else {}
        params = fields.get("Params")
        params = params if isinstance(params, dict) else {}
        from_environment = _text(params, "fromEnv").lower() == "true"
        return cls(
            provider=_text(fields, "Provider"),
            endpoint=_text(params, "endpoint"),
            region=_text(params, "region"),
            secure=_text(params, "disableSSL").lower() != "true",
            path_style=_text(params, "forcePathStyle").lower() != "false",
            secret="" if from_environment else _text(params, "secretName"),
            access_key=_text(params, "accessKeyKey") or cls.access_key,
            secret_key=_text(params, "secretKeyKey") or cls.secret_key,
            token_key=_text(params, "tokenKey"),
        )

    @property
    def credentials(self) -> tuple[str, ...]:
        """The secret and the keys in it, either all named or none."""
        keys = (self.token_key,) if self.token_key else (self.access_key, self.secret_key)
        return (self.secret, *keys) if self.secret else ()

    def with_settings(self, settings: Mapping[str, Any]) -> StoreSession:
        """The session with the settings of a provider in KFP's configuration."""
        keys = _mapping(settings.get("credentials"))
        secret = _mapping(keys.get("secretRef"))
        found = self
        if keys.get("fromEnv"):
            found = replace(found, secret="")
        elif secret:
            found = replace(
                found,
                secret=str(secret.get("secretName", "")),
                access_key=str(secret.get("accessKeyKey", found.access_key)),
                secret_key=str(secret.get("secretKeyKey", found.secret_key)),
                token_key=str(secret.get("tokenKey", found.token_key)),
            )
        if "disableSSL" in settings:
            found = replace(found, secure=str(settings["disableSSL"]).lower() != "true")
        if "forcePathStyle" in settings:
            found = replace(found, path_style=str(settings["forcePathStyle"]).lower() != "false")
        return replace(
            found,
            endpoint=str(settings.get("endpoint") or found.endpoint),
            region=str(settings.get("region") or found.region),
        )


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return str(value).lower() if isinstance(value, bool) else value if isinstance(value, str) else ""


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
