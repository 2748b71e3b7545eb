"""Settings and the sources of their values.

The first of these that has a value wins: a value set in the session (``%kf_config name=value``, ``%config
Kfnb.name = value``, ``kfnb.settings.settings().name = value``), ``KFNB_NAME`` in the environment, the kernel's own
config file (``c.Kfnb.name = value``), a ``[tool.kfnb]`` table in the nearest pyproject.toml, the default.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from traitlets import Bool, Enum, Integer, List, TraitError, Unicode
from traitlets.config import Config, Configurable

from kfnb import diagnostics
from kfnb.errors import KfnbError, SettingError, did_you_mean
from kfnb.text.pyproject import pyproject_table

SECRET = frozenset({"token", "cookies"})
"""Settings whose values are never shown."""
_TABLES = frozenset({"prices"})
"""Names under [tool.kfnb] that may be tables, which are not settings."""
_FILES = {"token": "token_file=FILE (a file that only you can read)"}
"""For secrets that can be read from a file: how to set the file."""
_CONFIG_FILE = (
    "c.Kfnb.{name} = ... in ipython_kernel_config.py (in the folder that `ipython locate profile` prints)"
)


class Kfnb(Configurable):
    """Settings of kfnb."""

    backend = Enum(
        ["", "local", "kubeflow"],
        "",
        help="where runs go: local or kubeflow; empty for kubeflow in a Kubeflow notebook, else local",
    ).tag(config=True)
    home = Unicode(help="folder for local runs and the cache").tag(config=True)
    experiment = Unicode("", help="experiment of new runs").tag(config=True)
    stage = Enum(
        ["", "dev", "test", "prod"], "", help="stage that new runs are labelled with: dev, test or prod"
    ).tag(config=True)
    cache = Bool(True, help="reuse the outputs of a step that ran before with the same inputs").tag(
        config=True
    )
    seed = Integer(
        None,
        allow_none=True,
        min=0,
        max=2**32 - 1,
        help="seed of the random numbers in each step: random, numpy, torch, tensorflow, polars; empty for none",
    ).tag(config=True)
    base_image = Unicode("", help="container image of steps; empty for python:X.Y-slim of the kernel").tag(
        config=True
    )
    index_urls = List(Unicode(), help="package indexes that steps install from").tag(config=True)
    jobs = Integer(
        0,
        min=0,
        help="maximum number of concurrent tasks of a local run; 0 for one per core, more while tasks wait",
    ).tag(config=True)
    warm = Integer(
        300,
        min=0,
        help="seconds that a pre-imported process waits for the next local run; 0 for none",
    ).tag(config=True)
    secrets = Unicode("", help="folder or YAML file that local runs read secrets and config maps from").tag(
        config=True
    )
    host = Unicode("", help="address of Kubeflow Pipelines; empty to detect it").tag(config=True)
    token = Unicode("", help="token for Kubeflow").tag(config=True)
    token_file = Unicode("", help="file with a token for Kubeflow, read again when it changes").tag(
        config=True
    )
    cookies = Unicode("", help="cookies for the proxy before Kubeflow, as a browser sends them").tag(
        config=True
    )
    context = Unicode("", help="context of the kubeconfig for access to Kubeflow").tag(config=True)
    namespace = Unicode("", help="your namespace on Kubeflow; empty to detect it").tag(config=True)
    installed = Unicode("kubeflow", help="namespace in which Kubeflow itself is installed").tag(config=True)
    ca_file = Unicode("", help="file of CA certificates for Kubeflow and its object store").tag(config=True)
    verify = Bool(True, help="check the certificates of Kubeflow and its object store").tag(config=True)
    metadata = Unicode("", help="address of ML Metadata, host:port; empty to detect it").tag(config=True)
    pipeline_root = Unicode("", help="where runs on Kubeflow keep artifacts; empty for its default").tag(
        config=True
    )
    service_account = Unicode("", help="service account of runs on Kubeflow; empty for its default").tag(
        config=True
    )
    serving_account = Unicode(
        "",
        help="service account of served models on Kubeflow, with the keys of the object store; empty for kfnb's own",
    ).tag(config=True)
    serving_log = Unicode(
        "",
        help="s3://BUCKET/FOLDER where KServe's logger puts the requests of served models; empty for nowhere",
    ).tag(config=True)
    upload_limit = Integer(
        200,
        min=0,
        help="maximum megabytes of files beside the notebook that are uploaded for a run on Kubeflow",
    ).tag(config=True)
    data_store = Unicode(
        "",
        help="folder or address (s3://, gs://, az://) of the versions of data sets; empty for data in the home",
    ).tag(config=True)
    registry = Unicode(
        "", help="folder of the local model registry, which a team may share; empty for registry in the home"
    ).tag(config=True)
    model_registry = Unicode(
        "",
        help="address of Kubeflow's model registry, or the name of its service; empty to detect it",
    ).tag(config=True)
    prices = Unicode(
        "",
        help="YAML file of prices for costs; empty for [tool.kfnb.prices] of pyproject.toml, if there is one",
    ).tag(config=True)
    owner = Unicode("", help="who registers models and adds data; empty for your user name").tag(config=True)
    debug = Bool(
        False, help="show tracebacks and log records, and keep the records in logs/kfnb.log in the home"
    ).tag(config=True)

    def __init__(self, *, start: Path | None = None, config: Config | None = None) -> None:
        super().__init__()
        self.sources = dict.fromkeys(names(), "default")
        self.observe(self._changed)
        self.home = str(Path("~/.kfnb").expanduser())
        self.sources["home"] = "default"
        self._start = start or Path.cwd()
        self._take(_settings_of(pyproject_table(self._start)[0]), "pyproject.toml")
        self._take(dict((config or Config()).get("Kfnb", {})), "the kernel's config file")
        self._take(_from_environment(os.environ), "the environment")

    @property
    def start(self) -> Path:
        """The folder from which pyproject.toml is looked for."""
        return self._start

    def set(self, name: str, value: Any) -> None:
        """Set one setting from a Python value or from text. Raises ``SettingError``."""
        _check_name(name)
        trait = self.traits()[name]
        try:
            setattr(self, name, _read(trait, value) if isinstance(value, str) else value)
        except (TraitError, ValueError) as error:
            kinds = {
                Bool: "true or false",
                Integer: "a number",
                Enum: "one of these",
                List: "texts separated by commas",
            }
            kind = next(
                (word for trait_type, word in kinds.items() if isinstance(trait, trait_type)), "a text"
            )
            shown = "***" if name in SECRET else _masked(repr(value))
            raise SettingError(f"{name}={shown}: {name} must be {kind}: {trait.help}", ref=name) from error

    def items(self) -> Iterator[tuple[str, str, str]]:
        """Each setting: its name, its value as text (secrets hidden), and the source of the value."""
        for name in names():
            value = getattr(self, name)
            shown = "" if value is None else str(value)
            yield name, "***" if name in SECRET and value else _masked(shown), self.sources[name]

    def update_config(self, config: Config) -> None:
        """Apply the value of IPython's ``%config Kfnb.name = value``. Raises ``SettingError`` for a secret."""
        for name, value in config.get("Kfnb", {}).items():
            refuse_secret(name, str(value))
        super().update_config(config)

    def _take(self, values: Mapping[str, Any], source: str) -> None:
        for name, value in values.items():
            try:
                self.set(name, value)
            except SettingError as error:
                raise SettingError(f"{error} (from {source})", code=error.code, ref=name) from None
            self.sources[name] = source

    def _changed(self, change: Any) -> None:
        if change.name in self.traits(config=True):
            self.sources[change.name] = "set"
        if change.name == "debug":
            KfnbError.debug = change.new
        if change.name == "debug" or (change.name == "home" and self.debug):
            diagnostics.show(self.home, on=self.debug)
        if change.name in SECRET:
            for secret in _parts(change.new):
                diagnostics.hide(secret)


def refuse_secret(name: str, value: str) -> None:
    """Raise ``SettingError`` for a secret that is set by a cell: it would stay in the notebook."""
    from kfnb.text.variables import PASSWORD  # which loading the extension does without

    secret = name in SECRET and value
    if not (secret or PASSWORD.search(value)):
        return
    what = f"{name} is a secret" if secret else f"{name} contains a password"
    file = _FILES.get(name, _CONFIG_FILE.format(name=name))
    raise SettingError(
        f"{what}, and a cell that sets it keeps it in the notebook. Set KFNB_{name.upper()} in the environment that "
        f"Jupyter starts from, or use {file}. To set it here nevertheless: %kf_config --insecure {name}=..."
    )


def names() -> list[str]:
    """The names of all settings, in the order of their definition."""
    return list(Kfnb.class_own_traits(config=True))


def choices(name: str) -> tuple[str, ...]:
    """The values that a setting may have, if they are limited."""
    trait = Kfnb.class_traits()[name]
    if isinstance(trait, Bool):
        return ("true", "false")
    return tuple(filter(None, trait.values or ())) if isinstance(trait, Enum) else ()


def settings() -> Kfnb:
    """The settings of this process."""
    global _settings
    if _settings is None:
        _settings = Kfnb()
    return _settings


def owner() -> str:
    """The user who adds data and registers models: the setting ``owner``, else the user of this machine."""
    try:
        return settings().owner or getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        return str(os.getuid())


def reset(*, start: Path | None = None, config: Config | None = None) -> Kfnb:
    """Read the settings again, and discard what was set in this process."""
    global _settings
    KfnbError.debug = False
    diagnostics.show("", on=False)
    _settings = Kfnb(start=start, config=config)
    return _settings


_settings: Kfnb | None = None


def _parts(secret: str) -> list[str]:
    """A secret, and the value of each cookie, which may occur separately."""
    return [secret.strip(), *(cookie.partition("=")[2].strip() for cookie in secret.split(";"))]


def _masked(text: str) -> str:
    from kfnb.text.variables import PASSWORD  # likewise

    return PASSWORD.sub(r"\1:***", text)


def _read(trait: Any, text: str) -> Any:
    """The value of a text; a list's items are separated by commas."""
    if isinstance(trait, List):
        return [item.strip(" '\"") for item in text.strip("[] ").split(",") if item.strip()]
    if trait.allow_none and not text:
        return None
    return trait.from_string(text)


def _check_name(name: str) -> None:
    if name in names():
        return
    hint = did_you_mean(name, names()) or f"settings: {', '.join(names())}"
    raise SettingError(f"unknown setting {name}", code="unknown-setting", hint=hint, ref=name)


def _from_environment(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: environ[f"KFNB_{name.upper()}"] for name in names() if environ.get(f"KFNB_{name.upper()}")}


def project_table(name: str) -> tuple[Mapping[str, Any], Path]:
    """A table under [tool.kfnb] of the project's pyproject.toml, and the file; empty if it has none."""
    values, file = pyproject_table(settings().start)
    found = values.get(name)
    return (found if isinstance(found, Mapping) else {}), file


def _settings_of(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in _TABLES or isinstance(value, str)}
