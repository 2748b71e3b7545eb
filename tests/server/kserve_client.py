"""Asks a program that serves customers by KServe's own Python client; run by an environment that has it.

``python kserve_client.py ADDRESS ROWS RECORDING``: ROWS is a file of JSON rows. What the client got is printed as JSON,
and what it sent is written into RECORDING, a request a line.
"""

import asyncio
import base64
import json
import sys
from pathlib import Path

import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest
from kserve.inference_client import RESTConfig

KINDS = {"income": "FP64", "age": "INT64", "visits": "INT64", "paid": "BOOL"}
TYPES = {"FP64": "f8", "INT64": "i8", "BOOL": "?"}
KEPT = ("content-type", "inference-header-content-length", "accept", "accept-encoding")


def tensors(rows, *, binary):
    found = []
    for name in rows[0]:
        kind = KINDS.get(name, "BYTES")
        one = InferInput(name, [len(rows)], kind)
        one.set_data_from_numpy(
            np.array([row[name] for row in rows], TYPES.get(kind, object)), binary_data=binary
        )
        found.append(one)
    return found


def client(protocol, sent):
    found = InferenceRESTClient(RESTConfig(protocol=protocol, timeout=60))

    async def record(request):
        headers = {name: text for name, text in request.headers.items() if name in KEPT}
        body = base64.b64encode(request.content).decode()
        sent.append({"method": request.method, "path": request.url.path, "headers": headers, "body": body})

    found._client.event_hooks["request"].append(record)
    return found


async def main(address, rows):
    sent = []
    v1, v2 = client("v1", sent), client("v2", sent)
    found = {
        "v1 ready": await v1.is_model_ready(address, "churn"),
        "v1 live": await v1.is_server_live(address),
        "v1 predict": (await v1.infer(address, {"instances": rows}, model_name="churn"))["predictions"],
        "v1 explain": len((await v1.explain(address, "churn", {"instances": rows[:2]}))["explanations"]),
        "v2 ready": await v2.is_server_ready(address),
        "v2 live": await v2.is_server_live(address),
        "v2 model ready": await v2.is_model_ready(address, "churn"),
    }
    for binary in (False, True):
        request = InferRequest("churn", tensors(rows, binary=binary))
        answer = await v2.infer(address, request, model_name="churn")
        found[f"v2 infer {'bytes' if binary else 'json'}"] = answer.outputs[0].data
    return found, sent


if __name__ == "__main__":
    rows = json.loads(Path(sys.argv[2]).read_text())
    found, sent = asyncio.run(main(sys.argv[1], rows))
    Path(sys.argv[3]).write_text("".join(f"{json.dumps(one)}\n" for one in sent))
    sys.stdout.write(json.dumps(found))
