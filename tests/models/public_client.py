"""What another person does by the public Python client of the Model Registry; prints what it returned as JSON.

Usage: public_client.py ADDRESS read|register MODEL
"""

from __future__ import annotations

import json
import sys
from urllib.parse import urlsplit

from model_registry import ModelRegistry


def read(registry: ModelRegistry, name: str) -> object:
    """A model, its versions, and what each is stored as."""
    model = registry.get_registered_model(name)
    versions = [one.name for one in registry.get_model_versions(name).order_by_id()]
    found = {}
    for number in versions:
        version, artifact = (
            registry.get_model_version(name, number),
            registry.get_model_artifact(name, number),
        )
        found[number] = {
            "author": version.author,
            "state": version.state.value,
            "description": version.description,
            "properties": version.custom_properties,
            "uri": artifact.uri,
            "format": artifact.model_format_name,
            "kind": artifact.model_source_kind,
            "run": artifact.model_source_id,
        }
    listed = name in [one.name for one in registry.get_registered_models()]
    return {"owner": model.owner, "properties": model.custom_properties, "listed": listed, "versions": found}


def register(registry: ModelRegistry, name: str) -> object:
    """A model in the client's own way."""
    model = registry.register_model(
        name,
        "s3://bucket/models/onnx",
        model_format_name="onnx",
        model_format_version="1",
        version="1.0.0",
        author="carl",
        version_description="by the public client",
        model_source_kind="kfp",
        model_source_id="run-7",
        metadata={"accuracy": 0.75, "epochs": 3, "license": "mit"},
    )
    return model.id


if __name__ == "__main__":
    address = urlsplit(sys.argv[1])
    client = ModelRegistry(
        f"{address.scheme}://{address.hostname}", address.port, author="carl", is_secure=False
    )
    done = {"read": read, "register": register}[sys.argv[2]](client, sys.argv[3])
    sys.stdout.write(json.dumps(done))
