"""What README.md and docs/ say is there: tests, files, public names, and every word of KFP's spec."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import kfnb
from scripts import reference

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = sorted([README, *(ROOT / "docs").glob("*.md")])
DESCRIPTIONS = [ROOT / "docs" / "architecture.md", ROOT / "CONTRIBUTING.md", ROOT / "js" / "README.md"]
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


def test_the_reference_is_what_the_registry_says():
    assert reference.REFERENCE.read_text(encoding="utf-8") == reference.reference(), (
        "make reference writes it anew"
    )


def test_every_page_is_in_the_sites_navigation():
    navigation = re.findall(r'= "(\w[\w-]*\.md)"', (ROOT / "zensical.toml").read_text(encoding="utf-8"))

    assert sorted(navigation) == sorted(page.name for page in PAGES if page != README)


def test_every_public_name_is_on_the_page_of_python():
    named = re.findall(
        r"^::: kfnb\.(\w+)$", (ROOT / "docs" / "python.md").read_text(encoding="utf-8"), re.MULTILINE
    )

    assert sorted(named) == sorted(kfnb.__all__)


def test_every_word_of_kfps_spec_is_in_the_engines_table():
    from kfp.pipeline_spec import pipeline_spec_pb2 as spec

    messages = (spec.PipelineSpec, spec.PipelineDeploymentConfig, spec.PlatformSpec)
    words = {word for message in messages for word in _words(message.DESCRIPTOR, set())}

    assert {word for word in words if f"`{word}`" not in ENGINE.read_text(encoding="utf-8")} == set()


def test_every_row_of_the_engines_table_names_its_test():
    rows = [line for line in ENGINE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    bare = [row for row in rows if "::" not in row and "shown by" not in row]

    assert all("the compiler never writes it" in row for row in bare)


@pytest.mark.parametrize("page", DESCRIPTIONS, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_module_and_class_that_a_description_names_exists(page):
    text = page.read_text(encoding="utf-8")
    text = re.sub(r"https?://\S+|\w+\.py::\w+", "", text)
    files = set(re.findall(r"(?<![\w*>./])(?:[\w.-]+/)*[\w-]+\.(?:pyi?|tsx?|js|json|yaml|toml|md)\b", text))
    code = {word for quoted in re.findall(r"`([^`\n]+)`", text) for word in re.findall(r"[\w.]+", quoted)}
    classes = {word for word in code if re.fullmatch(r"[A-Z][a-z]+(?:[A-Z][a-z]+)+", word)}
    members = {word for word in code if re.fullmatch(r"[a-z]\w+\.[a-z_]\w+", word)} - {
        file.rpartition("/")[2] for file in files
    }

    assert {file for file in files if not _is_file(file)} == set()
    assert classes - _classes() == set()
    assert {member for member in members if not _is_member(member)} == set()


def _is_file(named: str) -> bool:
    return any(f"/{path}".endswith(f"/{named.removeprefix('../')}") for path in _paths())


@cache
def _paths() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    return listed.splitlines() or [
        str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if "node_modules" not in path.parts
    ]


@cache
def _classes() -> set[str]:
    sources = [*(ROOT / "kfnb").rglob("*.py"), *(ROOT / "js" / "src").rglob("*.ts*")]
    return {
        name
        for path in sources
        for name in re.findall(r"(?:class|interface|type) (\w+)", path.read_text(encoding="utf-8"))
    }


def _is_member(named: str) -> bool:
    """Whether a module or folder of that name has the member; True where kfnb has no such module."""
    module, _, member = named.partition(".")
    pattern = re.compile(rf"\b{member}\b")
    files = [path for path in _paths() if path.startswith("kfnb/") and path.endswith(".py")]
    if module == "kfnb":
        return hasattr(kfnb, member)
    owners = [path for path in files if f"/{module}." in path or f"/{module}/" in path]
    return not owners or any(pattern.search((ROOT / path).read_text(encoding="utf-8")) for path in owners)


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
