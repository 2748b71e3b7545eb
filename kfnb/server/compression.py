"""Bodies in gzip: a request's is unpacked, and a response's is packed where the client takes it and gains from it."""

from __future__ import annotations

import asyncio
import gzip
import re
import zlib
from dataclasses import replace

from kfnb.server.http_messages import Handler, HttpLimits, HttpRequest, HttpResponse, error_response
from kfnb.server.request_reader import BUSY, Buffered

_WORTH = 1400
"""Bytes from which a response is packed: a smaller one is one packet of the network anyway."""
_LARGE = 100_000
"""Bytes from which a response is packed in a thread."""
_REFUSES = re.compile(r"gzip\s*;\s*q=0(\.0*)?\s*(,|$)")


def with_gzip(handler: Handler, limits: HttpLimits) -> Handler:
    """A handler that sees bodies unpacked. Their sizes have the limits of bodies: of one, and of all together."""
    unpacked, unpacking = Buffered(), asyncio.Lock()

    async def packed(request: HttpRequest) -> HttpResponse:
        encoding = request.headers.get("content-encoding", "identity").lower()
        if encoding == "gzip":
            return await of_packed(request)
        if encoding != "identity":
            message = "the body's Content-Encoding is not known; send it as gzip or unpacked"
            return error_response(415, "wrong-content-type", message, {"accept-encoding": "gzip"})
        return await answered(request)

    async def of_packed(request: HttpRequest) -> HttpResponse:
        try:
            async with unpacking:  # one by one, so that each knows what room is left
                most = min(limits.body, max(limits.share, limits.buffered - unpacked.size))
                body = await asyncio.to_thread(_unpacked, request.body, most)
                unpacked.size += len(body)
        except zlib.error:
            return error_response(400, "bad-request", "the body is not gzip, as its Content-Encoding has it")
        except OverflowError:
            if most < limits.body:
                return error_response(503, "busy", BUSY, {"retry-after": "1"})
            return error_response(413, "body-too-large", f"the unpacked body is larger than {most} bytes")
        try:
            return await answered(replace(request, body=body))
        finally:
            unpacked.size -= len(body)

    async def answered(request: HttpRequest) -> HttpResponse:
        response = await handler(request)
        if len(response.body) < _WORTH or not _takes_gzip(request.headers.get("accept-encoding", "")):
            return response
        headers = {**response.headers, "content-encoding": "gzip", "vary": "accept-encoding"}
        return replace(response, body=await _packed(response.body), headers=headers)

    return packed


async def _packed(body: bytes) -> bytes:
    """A body in gzip. A large one takes a second for 80 MB, in which others are answered."""
    if len(body) < _LARGE:
        return gzip.compress(body, 1)
    return await asyncio.to_thread(gzip.compress, body, 1)


def _takes_gzip(accepted: str) -> bool:
    return "gzip" in accepted and not _REFUSES.search(accepted)


def _unpacked(body: bytes, most: int) -> bytes:
    """Raises ``zlib.error``, ``OverflowError`` for more than ``most`` bytes."""
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    found = unpacker.decompress(body, most)
    if unpacker.unconsumed_tail:
        raise OverflowError
    if not unpacker.eof or unpacker.unused_data:
        raise zlib.error
    return found
