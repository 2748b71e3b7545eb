"""The kinds of the notebook's definitions: a constant's kind depends on the names in its expression."""

from __future__ import annotations

import ast

from kfnb.capture.component import is_builtin
from kfnb.capture.definitions import Definition, DefinitionKind, is_name
from kfnb.capture.imports import importable
from kfnb.capture.names import read_names
from kfnb.capture.notebook import ExecutedNotebook
from kfnb.capture.pure import is_pure


class DefinitionKinds:
    """The kinds of a notebook's definitions."""

    def __init__(self, notebook: ExecutedNotebook) -> None:
        self._notebook = notebook

    def of(self, definition: Definition) -> DefinitionKind:
        """The kind of a definition; an expression is a constant only where all names in it are."""
        value = getattr(definition.node, "value", None)
        if (
            definition.sort not in (DefinitionKind.LITERAL, DefinitionKind.LIVE)
            or definition.only_changes
            or value is None
        ):
            return definition.sort
        parts = {self._part(name, definition) for name in self._made_of(definition)}
        if definition.sort is DefinitionKind.LITERAL and parts <= {DefinitionKind.LITERAL}:
            return DefinitionKind.LITERAL
        if importable(definition.name, self._notebook.namespace.get(definition.name))[0]:
            return DefinitionKind.LIVE  # another name for what an import gives
        fixed = parts <= {
            DefinitionKind.LITERAL,
            DefinitionKind.EXPRESSION,
            DefinitionKind.IMPORT,
            DefinitionKind.SOURCE,
        }
        return DefinitionKind.EXPRESSION if fixed and self._is_pure(definition) else DefinitionKind.LIVE

    def _made_of(self, definition: Definition) -> list[str]:
        """The names that a definition reads when it runs."""
        assert definition.node is not None
        return list(read_names(ast.Module([definition.node], []), self._notebook.star_names).reads)

    def _part(self, name: str, definition: Definition) -> DefinitionKind:
        """The kind of a name that a definition reads."""
        part = self._notebook.definition_above(name, definition)
        if part is not None:
            return self.of(part)
        return DefinitionKind.IMPORT if is_builtin(name) else DefinitionKind.LIVE

    def _is_pure(self, definition: Definition) -> bool:
        """Whether a definition assigns an expression that can be evaluated again."""
        node = definition.node
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None or definition.cell.head:
            return False
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return all(map(is_name, targets)) and is_pure(node.value, self._notebook.namespace.__getitem__)
