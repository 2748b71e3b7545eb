"""The schema of a table: what its columns may hold, in a YAML file that a person edits."""

from __future__ import annotations

from typing import Any


def kfnb_read_schema(text: str, name: str) -> dict[str, Any]:
    """A schema from the text of its file, which is called ``name`` in errors: ``rows``, ``freshness``, ``columns``, ...

    Raises ``ValueError`` with the line of what is wrong, and what is allowed there.
    """
    import yaml

    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        line, problem = kfnb_yaml_problem(error)
        raise ValueError(f"{name}{f', line {line}' if line else ''}: {problem}") from None
    if root is None:
        raise ValueError(f"{name} is empty: it needs columns")
    schema = kfnb_schema_part(root, name, "the schema", kfnb_schema_keys("schema"))
    nodes: list[Any] = next((value.value for key, value in root.value if key.value == "columns"), [])
    schema["columns"] = {}
    for key, node in nodes:
        if key.value in schema["columns"]:
            raise ValueError(f"{name}, line {key.start_mark.line + 1}: the column {key.value} is given twice")
        keys = kfnb_schema_keys("column")
        schema["columns"][key.value] = kfnb_schema_part(node, name, f"the column {key.value}", keys)
    kfnb_schema_freshness(schema, name)
    return schema


def kfnb_yaml_problem(error: Any) -> tuple[int, str]:
    """The line of what is not YAML, counted from 1 (0 where it is not known), and what was expected, in words."""
    problem, context = str(getattr(error, "problem", None) or error), str(getattr(error, "context", ""))
    known = (
        ("expected ',' or", "a bracket is not closed, or a comma is missing", True),
        ("expected the node content", "a value is missing, or a bracket is not closed", True),
        ("unexpected end of stream", "a quotation mark is not closed", True),
        (
            "mapping values are not allowed",
            "a colon that cannot be there: this line has two, or the line before has none",
            False,
        ),
        ("could not find expected ':'", "a key needs a colon", False),
        ("found character '\\t'", "a tab: lines begin with spaces", False),
        ("found character", "a value that begins with a sign needs quotation marks", False),
        ("but found '}'", "a brace is closed that was not opened", False),
        ("but found ']'", "a bracket is closed that was not opened", False),
        (
            "expected <block end>",
            "the line does not begin below the first letter of the keys before it",
            False,
        ),
    )
    words, at_its_begin = next(
        ((words, begin) for part, words, begin in known if part in problem), (problem, False)
    )
    place = getattr(error, "context_mark" if at_its_begin and context else "problem_mark", None)
    return (place.line + 1 if place else 0), words


def kfnb_schema_keys(part: str) -> dict[str, Any]:
    """The keys of a schema or of a column in it: what each takes in words, and whether a value is that."""

    def share(value: Any) -> bool:
        return type(value) in (int, float) and 0 <= value <= 1

    def limits(value: Any) -> bool:
        numbers = isinstance(value, list) and all(type(one) in (int, float) for one in value)
        return numbers and len(value) == 2 and value[0] <= value[1]  # noqa: PLR2004 - a minimum and a maximum

    def of(*words: str) -> Any:
        return " or ".join(words), lambda value: value in words

    def listed(*words: str) -> Any:
        wrong = f"a list of {', '.join(words)}"
        return wrong, lambda value: isinstance(value, list) and all(one in words for one in value)

    a_share = "a share from 0 to 1", share
    if part == "schema":
        return {
            "columns": ("a mapping of columns", lambda value: isinstance(value, dict)),
            "rows": ("a number of rows, at least", lambda value: type(value) is int and value >= 0),
            "freshness": (
                "a column and an age, such as {created: 7d}",
                lambda value: isinstance(value, dict),
            ),
            "extra": of("allow", "warn", "fail"),
            "warn": listed("rows", "freshness"),
        }
    checks = ("type", "nulls", "range", "length", "values", "unique")
    return {
        "type": of("number", "integer", "text", "boolean", "time", "any"),
        "nulls": a_share,
        "range": ("[minimum, maximum]", limits),
        "length": ("[minimum, maximum]", limits),
        "outside": a_share,
        "values": ("a list of values", lambda value: isinstance(value, list) and bool(value)),
        "unseen": a_share,
        "unique": ("true or false", lambda value: isinstance(value, bool)),
        "optional": ("true or false", lambda value: isinstance(value, bool)),
        "level": of("warn", "fail"),
        "warn": listed(*checks),
    }


def kfnb_schema_part(node: Any, name: str, what: str, keys: dict[str, Any]) -> dict[str, Any]:
    """The values of a mapping, each as its key takes it. Raises ``ValueError`` with the line of what is wrong."""
    import difflib

    import yaml

    if not isinstance(node, yaml.MappingNode):
        raise ValueError(  # noqa: TRY004 - a mistake in a file
            f"{name}, line {node.start_mark.line + 1}: {what} needs keys: {', '.join(keys)}"
        )
    found: dict[str, Any] = {}
    for key, value in node.value:
        where = f"{name}, line {key.start_mark.line + 1}"
        if key.value not in keys:
            near = difflib.get_close_matches(key.value, keys, 1)
            hint = f"did you mean {near[0]}?" if near else f"allowed are {', '.join(keys)}"
            raise ValueError(f"{where}: {what} has an unknown key {key.value!r}; {hint}")
        words, fits = keys[key.value]
        # values are texts as they are written: YAML's own no, on and 1.0 would be false, true and a number
        loader = (yaml.BaseLoader if key.value == "values" else yaml.SafeLoader)("")
        try:
            content = loader.construct_document(value)
        except yaml.YAMLError as error:
            raise ValueError(f"{where}: {kfnb_yaml_problem(error)[1]}") from None
        if not fits(content):
            raise ValueError(f"{where}: {key.value} of {what} is {content!r}; it takes {words}")
        found[key.value] = content
    return found


def kfnb_schema_freshness(schema: dict[str, Any], name: str) -> None:
    """Replace the ages of ``freshness`` by seconds. Raises ``ValueError`` for what is not an age."""
    import re

    seconds = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
    ages = {}
    for column, age in schema.get("freshness", {}).items():
        found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smhdw])\s*", str(age))
        if found is None:
            raise ValueError(f"{name}: freshness of {column} is {age!r}; it takes an age, such as 12h or 7d")
        ages[str(column)] = float(found[1]) * seconds[found[2]]
    schema["freshness"] = ages


def kfnb_schema_type(rules: dict[str, Any]) -> str:
    """The type of a column in a schema: the one that is given, or that its other rules need."""
    needed = "number" if "range" in rules else "text" if {"values", "length"} & {*rules} else "any"
    return str(rules.get("type", needed))


def kfnb_schema_reference(schema: dict[str, Any]) -> dict[str, Any]:
    """A reference profile whose bins are the schema's: what is counted into it tells how many values break a limit."""
    types = {
        "number": "double",
        "integer": "double",
        "text": "string",
        "boolean": "bool",
        "time": "timestamp[us]",
    }
    largest = 1.7e308
    columns = []
    for name, rules in schema["columns"].items():
        kind = types.get(kfnb_schema_type(rules), "any")
        edges = rules.get("range", rules.get("length", ()))
        edges = edges or ([-largest, largest] if kind in ("double", "timestamp[us]") else [])
        top = [(value, 0) for value in rules.get("values", ())]
        columns.append({"name": name, "type": kind, "rows": 0, "nulls": 0, "edges": edges, "top": top})
    return {"rows": 0, "columns": columns}
