"""``ModelVersion``: the handle of a version of a model."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kfnb.capture.embedded.models import kfnb_read_model
from kfnb.capture.embedded.transform_files import kfnb_model_transform
from kfnb.capture.embedded.transforms import kfnb_Transform
from kfnb.diagnostics import logger
from kfnb.errors import BackendError, Conflict, UsageError
from kfnb.resources.models.engine import ModelRegistry, VersionQuery
from kfnb.resources.models.environment import differences
from kfnb.resources.models.importance_report import ImportanceReport
from kfnb.resources.models.model import AliasChange, ModelState, Signature, VersionSnapshot
from kfnb.resources.models.promotion import CHAMPION, promote
from kfnb.settings import owner

if TYPE_CHECKING:
    from kfnb.resources.lineage.model import Lineage

_logger = logger(__package__)


class ModelVersion:
    """A version of a registered model. Its content never changes; aliases, state, tags and description may."""

    def __init__(self, registry: ModelRegistry, snapshot: VersionSnapshot) -> None:
        self._registry, self._snapshot = registry, snapshot

    def __repr__(self) -> str:
        return f"<ModelVersion {self.ref} {self.format}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ModelVersion) and (self.ref, self.digest) == (other.ref, other.digest)

    def __hash__(self) -> int:
        return hash((self.ref, self.digest))

    def snapshot(self) -> VersionSnapshot:
        """All that the registry has of it, now."""
        self._snapshot = self._registry.version(self.name, self.version)
        return self._snapshot

    @property
    def backend(self) -> str:
        """The registry that has it: local or kubeflow."""
        return self._registry.name

    @property
    def name(self) -> str:
        """The model's name."""
        return self._snapshot.name

    @property
    def version(self) -> int:
        """Its number, from 1."""
        return self._snapshot.version

    @property
    def ref(self) -> str:
        """``churn@3``."""
        return self._snapshot.ref

    @property
    def digest(self) -> str:
        """The sha256 of the manifest of its files."""
        return self._snapshot.digest

    @property
    def format(self) -> str:
        """The format that it was saved in: skops, xgboost, lightgbm, torch, keras, onnx or pickle."""
        return self._snapshot.format

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return self._snapshot.size

    @property
    def uri(self) -> str:
        """Where its model folder is."""
        return self._snapshot.uri

    @property
    def created(self) -> float:
        """When it was registered, in seconds since 1970."""
        return self._snapshot.created

    @property
    def owner(self) -> str:
        """Who registered it."""
        return self._snapshot.owner

    @property
    def run(self) -> str:
        """The id of the run that made it; empty for a value of a notebook."""
        return self._snapshot.source.id if self._snapshot.source.kind == "kfp" else ""

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The parameters that it was made with."""
        return self._snapshot.parameters

    @property
    def data(self) -> tuple[str, ...]:
        """The versions of data sets that it was made of."""
        return self._snapshot.data

    @property
    def packages(self) -> Mapping[str, str]:
        """The packages that it needs, each with the version that it was saved with."""
        return self._snapshot.packages

    @property
    def signature(self) -> Signature:
        """What it takes and what it returns."""
        return self._snapshot.signature

    @property
    def metrics(self) -> Mapping[str, float]:
        """Its metrics, now: those that were measured last."""
        return self.snapshot().metrics

    @property
    def measured(self) -> Mapping[str, Mapping[str, float]]:
        """All its metrics, now, by the data version that they were measured on; the key is empty if it is unknown."""
        return self.snapshot().measured

    @property
    def aliases(self) -> tuple[str, ...]:
        """Its aliases, now."""
        return self.snapshot().aliases

    @property
    def state(self) -> ModelState:
        """LIVE or ARCHIVED, now."""
        return self.snapshot().state

    @property
    def tags(self) -> Mapping[str, str]:
        """Its tags, now."""
        return self.snapshot().tags

    @property
    def description(self) -> str:
        """Its description, now."""
        return self.snapshot().description

    @property
    def history(self) -> list[AliasChange]:
        """The changes of the model's aliases that concern this version, newest first."""
        changes = self._registry.history(self.name)
        return [one for one in changes if self.version in (one.from_version, one.to_version)]

    def siblings(self) -> list[VersionSnapshot]:
        """All versions of the model, newest first."""
        return self._registry.versions(VersionQuery(name=self.name, archived=True, outline=True))

    def changes(self) -> list[AliasChange]:
        """All changes of the model's aliases, newest first."""
        return self._registry.history(self.name)

    def path(self) -> Path:
        """Its model folder on this machine, verified. Raises ``BackendError`` if its bytes were changed."""
        return self._registry.download(self._snapshot)

    def load(self, *, pickle: bool = False, trust: Sequence[str] = (), into: Any = None) -> Any:
        """The model as it was saved, without its transform. A warning says which packages differ from those then.

        Types that are not known to be safe have to be named in ``trust``, and a pickle is loaded only with ``pickle``.
        ``into`` is the module that the state of a torch model is loaded into; without it, the state is returned.
        Raises ``UsageError``, ``BackendError``.
        """
        folder = self.path()
        found = differences(self._snapshot)
        if found:
            warnings.warn(f"{self.ref} was saved with {', '.join(found)}", stacklevel=2)
        try:
            return kfnb_read_model(str(folder), pickle=pickle, trust=trust, into=into)
        except TypeError as error:
            raise UsageError(f"{self.ref} cannot be loaded: {error}", ref=self.ref) from None
        except ImportError as error:
            raise self._missing(self.ref, error) from None
        except Exception as error:  # whatever its library raises of a file that it cannot read
            _logger.debug("The library of %s cannot read it.", self.ref, exc_info=True)
            raise BackendError(f"{self.ref} cannot be loaded: {error}", ref=self.ref) from error

    @property
    def transform(self) -> kfnb_Transform | None:
        """Its transform, as it was when the model was saved; None if it has none.

        It is code, which runs when it is first used. Raises ``UsageError``, ``BackendError``.
        """
        if not self._snapshot.transform:
            return None
        folder = self.path()
        try:
            found: kfnb_Transform | None = kfnb_model_transform(str(folder))
        except (TypeError, ValueError) as error:
            raise UsageError(f"the transform of {self.ref} cannot be loaded: {error}", ref=self.ref) from None
        except ImportError as error:
            raise self._missing(f"the transform of {self.ref}", error) from None
        return found

    def importance(
        self,
        data: Any,
        target: str,
        *,
        repeats: int = 5,
        pickle: bool = False,
        trust: Sequence[str] = (),
    ) -> ImportanceReport:
        """How much it depends on each column: what accuracy, or R squared, loses when the column is shuffled.

        ``data`` is a table, or a version of a data set that is one, of rows as they come before the transform; of many,
        10,000 are used. The column ``target`` is what it should predict. The transform is executed; ``pickle`` and
        ``trust`` are as for ``load``. Raises ``UsageError``, ``BackendError``.
        """
        from kfnb.resources.datasets.api import dataset
        from kfnb.resources.datasets.handle import DatasetVersion
        from kfnb.resources.models.importance import importances_of

        table = dataset(data).load() if isinstance(data, str | DatasetVersion) else data
        return importances_of(
            self.path(), self.ref, table, target, repeats=repeats, pickle=pickle, trust=trust
        )

    def lineage(self) -> Lineage:
        """Its lineage, up and down: see ``kfnb.lineage``."""
        from kfnb import lineage  # by its public name, since lineage reads the records of models

        return lineage(self)

    def _missing(self, what: str, error: ImportError) -> BackendError:
        hint = (
            f"pip install {' '.join(f'{name}=={version}' for name, version in sorted(self.packages.items()))}"
        )
        message = f"{what} cannot be loaded: {error}"
        return BackendError(message, code="missing-package", hint=hint, ref=self.ref)

    def promote(
        self, alias: str = CHAMPION, because: str = "", *, expected: int | None = None
    ) -> AliasChange:
        """Let an alias name this version. If it does already, nothing is changed, and its last change is returned.

        ``expected`` is the version that the alias must still name; by default the one that it named when this handle
        was fetched, unless you moved it yourself since. Raises ``Conflict`` if it names another, which says who moved
        it, when and why; the handle is refreshed then, so that a second call moves the alias. Raises ``UsageError`` for
        an archived version.
        """
        try:
            change = promote(
                self._registry, self._snapshot, alias, by=owner(), because=because, expected=expected
            )
        except Conflict:
            self.snapshot()
            raise
        self.snapshot()
        return change

    def archive(self) -> None:
        """Leave this version out of lists. Raises ``UsageError`` if it has an alias."""
        self._registry.set_state(self.name, self.version, ModelState.ARCHIVED)

    def restore(self) -> None:
        """Undo ``archive``."""
        self._registry.set_state(self.name, self.version, ModelState.LIVE)

    def annotate(
        self, *, description: str | None = None, tags: Mapping[str, str | None] | None = None
    ) -> None:
        """Change the description, and set tags; a tag that is None is removed."""
        self._registry.annotate(self.name, self.version, description=description, tags=dict(tags or {}))
