"""The packages of an environment as they are installed, not as they were asked for."""

from __future__ import annotations

from typing import Any


def kfnb_installed_packages() -> dict[str, dict[str, Any]]:
    """The packages on ``sys.path`` by name: their version, the sha256 of their RECORD, what installed them.

    RECORD has the sha256 of each file, so its own tells packages of one version apart, whichever program installed
    them. ``url`` is where a package that is not from an index came from, without what may be a password or a token.
    """
    import os
    import re
    import sys

    found: dict[str, dict[str, Any]] = {}
    for folder in dict.fromkeys(os.path.abspath(entry or ".") for entry in sys.path):
        try:
            names = sorted(os.listdir(folder))
        except OSError:  # an archive, or no folder
            continue
        for entry in names:
            matched = re.fullmatch(r"(.+?)-([^-]+?)(?:-py[0-9.]+)?\.(?:dist|egg)-info", entry)
            if matched:
                name = re.sub(r"[-_.]+", "-", matched[1]).lower()
                if name not in found:  # the first on the path is the one that is imported
                    found[name] = {"version": matched[2], **kfnb_package_facts(os.path.join(folder, entry))}
    return dict(sorted(found.items()))


def kfnb_package_facts(folder: str) -> dict[str, Any]:
    """What the folder of an installed package says beside its name and version."""
    import json
    import os
    import re
    from hashlib import sha256

    def content(name: str) -> bytes:
        try:
            with open(os.path.join(folder, name), "rb") as file:
                return file.read()
        except OSError:
            return b""

    facts: dict[str, Any] = {}
    record, source = content("RECORD"), content("direct_url.json")
    if record:
        # without what installers write, and scripts, whose first line names the environment
        pattern = (
            rb"(?m)^(?:\.\./[^\n]*|[^\n]*(?:\.pyc|/(?:INSTALLER|REQUESTED|RECORD|direct_url\.json)),[^\n]*)$"
        )
        facts["digest"] = sha256(b"\n".join(sorted(re.sub(pattern, b"", record).split()))).hexdigest()
    if installer := content("INSTALLER").decode("utf-8", "replace").strip():
        facts["installer"] = installer[:40]
    if source:
        try:
            place = json.loads(source)
            facts["url"] = re.sub(r"(?<=//)[^/]*@|[?#].*", "", place["url"])
            if place.get("dir_info", {}).get("editable"):
                facts["editable"] = True
        except (ValueError, KeyError, TypeError, AttributeError):
            facts["url"] = "unreadable"
    return facts


def kfnb_kept_packages(store: str) -> str:
    """The digest of the installed packages, whose list is in the folder ``store`` under it, for all who have the same.

    The list is read again only where a folder of ``sys.path`` has changed.
    """
    import json
    import os
    import sys
    from hashlib import sha256

    def stamp(folder: str) -> int:
        """When packages were last added to a folder; 0 for one without any, where steps write their own files."""
        try:
            return (
                os.stat(folder).st_mtime_ns
                if any(name.endswith("-info") for name in os.listdir(folder))
                else 0
            )
        except OSError:
            return 0

    def keep(name: str, text: str) -> None:
        draft = os.path.join(store, f".{name}.{os.getpid()}")
        with open(
            os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
        ) as file:
            file.write(text)
        os.replace(draft, os.path.join(store, name))

    stamps = {os.path.abspath(entry or "."): stamp(entry or ".") for entry in sys.path}
    places = [(folder, time) for folder, time in stamps.items() if time]
    key = sha256(json.dumps([sys.version, places]).encode()).hexdigest()
    try:
        with open(os.path.join(store, f"{key}.known"), encoding="utf-8") as file:
            digest = file.read()
        if os.path.exists(os.path.join(store, f"{digest}.json")):
            return digest
    except OSError:
        pass
    text = json.dumps(kfnb_installed_packages(), sort_keys=True)
    digest = sha256(text.encode()).hexdigest()
    os.makedirs(store, mode=0o700, exist_ok=True)
    keep(f"{digest}.json", text)
    keep(f"{key}.known", digest)
    return digest
