"""Objects in S3-compatible stores, Google Cloud Storage and Azure, read and written through obstore."""

from kfnb.remote.objects.access import AccessKeys, StoreAccess, has_environment_credentials
from kfnb.remote.objects.address import ObjectAddress
from kfnb.remote.objects.errors import ObjectForbidden, ObjectMissing, StoreUnreachable
from kfnb.remote.objects.store import ObjectFacts, ObjectInfo, ObjectStore

__all__ = [
    "AccessKeys",
    "ObjectAddress",
    "ObjectFacts",
    "ObjectForbidden",
    "ObjectInfo",
    "ObjectMissing",
    "ObjectStore",
    "StoreAccess",
    "StoreUnreachable",
    "has_environment_credentials",
]
