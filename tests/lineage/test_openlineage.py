"""``kfnb catalog export --openlineage FILE``: events that the public specification's own schemas accept."""

import json
import uuid
from datetime import datetime
from pathlib import Path

import pytest
from homes import Step, artifact, churn, write_run
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

import kfnb
from kfnb import cli
from kfnb.resources.lineage import openlineage

SPEC = Path(__file__).parent / "openlineage"
RUN = "261130-080000-aaaa"


@pytest.fixture(scope="module")
def schemas() -> dict[str, Draft202012Validator]:
    """By its address, the validator of each schema of the specification."""
    found = [json.loads(file.read_text()) for file in sorted(SPEC.rglob("*.json"))]
    registry = Registry().with_resources((one["$id"], Resource.from_contents(one)) for one in found)
    return {one["$id"]: Draft202012Validator(one, registry=registry) for one in found}


def exported(tmp_path: Path) -> list[dict]:
    file = tmp_path / "events.jsonl"
    assert cli.main(["catalog", "export", "--openlineage", str(file)]) == 0
    return [json.loads(line) for line in file.read_text().splitlines()]


def facets(thing):
    """All facets of an event, by name."""
    if isinstance(thing, dict):
        yield from thing.get("facets", {}).items()
        thing = list(thing.values())
    if isinstance(thing, list):
        for one in thing:
            yield from facets(one)


def test_every_event_and_every_facet_is_valid(home, tmp_path, schemas, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "raw.csv").write_text("raw")
    kfnb.add_data("churn-data", tmp_path / "raw.csv")
    churn(home)
    looped = [Step(f"for-loop-1/{n}/fit", takes={"x": artifact("x", uri="s3://b/x")}) for n in range(2)]
    write_run(
        home, "261130-090000-bbbb", *looped, Step("bad", state="FAILED", parameters={"n": 3}), state="FAILED"
    )
    write_run(home, "261130-100000-cccc", Step("slow", state="RUNNING"), state="")
    (home / "runs" / "261130-110000-dddd").mkdir()
    events = exported(tmp_path)
    core = schemas[f"{openlineage.SPEC}/2-0-2/OpenLineage.json"]
    used = set()
    for event in events:
        core.validate(event)
        uuid.UUID(event["run"]["runId"])
        assert datetime.fromisoformat(event["eventTime"]).tzinfo
        for name, facet in facets(event):
            address = facet["_schemaURL"].partition("#")[0]
            schemas[address].validate({name: facet})
            assert name in schemas[address].schema["properties"]
            used.add(name)
    assert used == {
        *(
            "datasetType",
            "executionParameters",
            "jobType",
            "parent",
            "processing_engine",
            "symlinks",
            "version",
        ),
    }


def test_a_task_begins_and_ends_with_what_it_took_and_made(home, tmp_path):
    churn(home)
    events = exported(tmp_path)
    train = [event for event in events if event["job"]["name"] == "churn.train"]
    assert [event["eventType"] for event in train] == ["START", "COMPLETE"]
    assert len({event["run"]["runId"] for event in train}) == 1
    (taken,), (made,) = train[1]["inputs"], train[1]["outputs"]
    assert train[0]["outputs"] == []
    load = next(event for event in events if event["job"]["name"] == "churn.load" and event["outputs"])
    assert taken["name"] == load["outputs"][0]["name"]
    assert made["name"].startswith("sha256:")
    run = next(event for event in events if event["job"]["name"] == "churn")
    assert train[0]["run"]["facets"]["parent"]["run"]["runId"] == run["run"]["runId"]


def test_a_failed_task_says_why_and_a_running_one_has_not_ended(home, tmp_path):
    write_run(home, RUN, Step("bad", state="FAILED"), Step("slow", state="RUNNING"), state="")
    kinds = {}
    for event in exported(tmp_path):
        kinds.setdefault(event["job"]["name"], []).append(event["eventType"])
    assert kinds == {"churn": ["START"], "churn.bad": ["START", "FAIL"], "churn.slow": ["START"]}


def test_a_version_is_a_data_set_by_its_name_and_number(home, tmp_path):
    (tmp_path / "raw.csv").write_text("raw")
    kfnb.add_data("churn-data", tmp_path / "raw.csv")
    churn(home)
    load = next(event for event in exported(tmp_path) if event["job"]["name"] == "churn.load")
    (taken,) = load["inputs"]
    assert (taken["namespace"], taken["name"]) == ("kfnb.data", "churn-data")
    assert taken["facets"]["version"]["datasetVersion"] == "1"


def test_what_cannot_be_written_is_one_line_and_leaves_nothing(home, tmp_path, capsys):
    churn(home)
    assert cli.main(["catalog", "export"]) == 2
    assert "--openlineage FILE is required" in capsys.readouterr().err
    assert cli.main(["catalog", "export", "--openlineage", str(tmp_path / "no" / "such" / "file")]) == 1
    assert "cannot be written: No such file or directory" in capsys.readouterr().err
    (tmp_path / "folder").mkdir()
    assert cli.main(["catalog", "export", "--openlineage", str(tmp_path / "folder")]) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "home"]
