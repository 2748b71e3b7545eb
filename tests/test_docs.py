"""What README.md and docs/ say is there: tests, verbs, magics, files, and every word of KFP's spec."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kfnb import registry
from scripts import reference

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = sorted([README, *(ROOT / "docs").glob("*.md")])
ENGINE = ROOT / "docs" / "local-engine.md"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_test_that_a_page_names_exists(page):
    named = set(re.findall(r"(\w+\.py)::(\w+)", page.read_text(encoding="utf-8")))
    there = {(file.name, test) for file in (ROOT / "tests").rglob("test_*.py") for test in _tests(file)}

    assert named <= there, f"{page.name} names {named - there}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_and_image_of_a_page_leads_somewhere(page):
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    local = [link.partition("#")[0] for link in links if "://" not in link and not link.startswith("#")]

    assert [link for link in local if not (page.parent / link).exists()] == []


def test_the_reference_and_the_readmes_table_are_what_the_registry_says():
    assert reference.REFERENCE.read_text(encoding="utf-8") == reference.reference(), (
        "make reference writes it anew"
    )
    readme = README.read_text(encoding="utf-8")
    assert reference.with_table(readme) == readme, "make reference writes it anew"


@pytest.mark.parametrize("verb", [verb for verb in registry.verbs() if " " not in verb])
def test_every_verb_is_in_the_readme(verb):
    assert f"kfnb {verb}" in README.read_text(encoding="utf-8")


@pytest.mark.parametrize("magic", registry.magics())
def test_every_magic_is_in_the_readme(magic):
    assert re.search(rf"`%%?{magic}\b", README.read_text(encoding="utf-8"))


def test_every_word_of_kfps_spec_is_in_the_engines_table():
    from kfp.pipeline_spec import pipeline_spec_pb2 as spec

    messages = (spec.PipelineSpec, spec.PipelineDeploymentConfig, spec.PlatformSpec)
    words = {word for message in messages for word in _words(message.DESCRIPTOR, set())}

    assert {word for word in words if f"`{word}`" not in ENGINE.read_text(encoding="utf-8")} == set()


def test_every_row_of_the_engines_table_names_its_test():
    rows = [line for line in ENGINE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    bare = [row for row in rows if "::" not in row and "shown by" not in row]

    assert all("the compiler never writes it" in row for row in bare)


def _tests(file: Path) -> list[str]:
    return re.findall(r"^(?:async )?def (test_\w+)\(", file.read_text(encoding="utf-8"), re.MULTILINE)


def _words(message: Any, seen: set[str]) -> Iterator[str]:
    """The names, as JSON has them, of a message's fields and of all that is in them."""
    if message.full_name in seen or message.full_name.startswith("google."):
        return
    seen.add(message.full_name)
    for field in message.fields:
        if not message.GetOptions().map_entry:
            yield field.json_name
        if field.message_type is not None:
            yield from _words(field.message_type, seen)
    for inner in message.nested_types:
        yield from _words(inner, seen)
