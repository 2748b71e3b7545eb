"""What is usually wrong with an InferenceService that does not become ready, and what helps."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class KnownCause:
    """What a line of a log, an event or a condition gives away, and the fix."""

    pattern: re.Pattern[str]
    cause: str
    fix: str


def _cause(pattern: str, cause: str, fix: str) -> KnownCause:
    return KnownCause(re.compile(pattern, re.IGNORECASE), cause, fix)


_ACCOUNT = (
    "%kf_config serving_account=NAME names a service account of yours that lists a secret with working keys"
)
_CAUSES = (
    _cause(
        r"InvalidAccessKeyId|SignatureDoesNotMatch|\bAccessDenied\b|\b403\b.*(?:HeadObject|ListObjects)|\bForbidden\b.*HeadObject",
        "the object store refuses the keys with which KServe fetches the model",
        f"the secret kfnb-serving-store has the keys of the namespace's store; {_ACCOUNT}",
    ),
    _cause(
        r"Unable to locate credentials|NoCredentialsError",
        "KServe has no keys for the object store",
        _ACCOUNT,
    ),
    _cause(
        r"NoSuchBucket|NoSuchKey|Failed to fetch model\. No model found|no such object|\b404\b.*HeadObject",
        "the model's folder is not in the object store, or not in the one that KServe asks",
        "serve the version again, which stores its folder again; look at s3-endpoint in the annotations of the secret",
    ),
    _cause(
        r"Could not connect to the endpoint URL|EndpointConnectionError|Name or service not known|NameResolutionError|"
        r"Temporary failure in name resolution",
        "an address cannot be reached from the pod",
        "look at s3-endpoint of the secret, at index_urls, and at the network policies of the namespace",
    ),
    _cause(
        r"No matching distribution found|Could not find a version that satisfies|ResolutionImpossible|"
        r"No module named pip",
        "a package of the model's requirements does not install in the pod",
        "pass --image (one that `kfnb image` builds has the packages), or set index_urls to what the cluster reaches",
    ),
    _cause(
        r"requires a different Python|Requires-Python",
        "the image has another Python than the model's packages need",
        "pass --image with the Python that the model was saved with, or set base_image",
    ),
    _cause(
        r"OOMKilled|more memory than its limit",
        "the container needs more memory than its limit",
        "serve it with more: --memory 8Gi",
    ),
    _cause(
        r"must be no more than 63 characters",
        "the name is too long for KServe, which makes names of hosts of it and of the namespace's",
        "serve the model by a shorter name: --name NAME",
    ),
    _cause(
        r"modelcar is invalid",
        "the image that --storage names has no folder /models",
        "build it with the folder that kfnb services pack writes as /models",
    ),
    _cause(
        r"sha256sum: WARNING|kfnb_model\.json: FAILED",
        "the folder that --storage names is not that of this version",
        "put the folder there that kfnb services pack writes for it, or leave --storage out",
    ),
    _cause(
        r"No space left on device",
        "the pod has no room for the model and its packages",
        "pass --image with the packages in it",
    ),
    _cause(
        r"NoSupportingRuntime|No runtime found to support",
        "the cluster has no serving runtime for this format",
        "leave --runtime out: the model's own program serves it",
    ),
    _cause(
        r"RuntimeNotRecognized|no runtime with (?:the )?name|specified runtime \S+ (?:is disabled|not found)",
        "the cluster does not have that serving runtime, or has it switched off",
        "leave --runtime out: the model's own program serves it",
    ),
    _cause(
        r"More than one model file is detected|No model file|model.*not found.*\.(?:joblib|pkl|bst|json)",
        "KServe's runtime does not find the one model file that it reads",
        "leave --runtime out: the model's own program serves it",
    ),
    _cause(
        r"InconsistentVersionWarning|cannot be unpickled|UnpicklingError",
        "the model was saved by another version of its library",
        "leave --runtime out: the model's own program installs the versions that it was saved with",
    ),
    _cause(
        r"serviceaccounts? \"[^\"]+\" not found|error looking up service account",
        "the service account of the pod does not exist",
        _ACCOUNT,
    ),
    _cause(
        r"violates PodSecurity",
        "the namespace's pod security standard refuses the pod",
        "ask its administrator, or pass --image that runs as another user",
    ),
    _cause(
        r"read-only file system|Permission denied: '/(?!mnt)",
        "the program may not write where it wants to",
        "the pod runs as another user: pass --image with the packages in it",
    ),
)


def known_cause(lines: Iterable[str]) -> KnownCause | None:
    """The first known cause that the lines give away."""
    text = [*lines]
    for cause in _CAUSES:
        if any(cause.pattern.search(line) for line in text):
            return cause
    return None
