"""A service as it is sent to the page: its static HTML in sections, and what can be done with it."""

from __future__ import annotations

from collections.abc import Iterator

from kfnb.live.contents import Content, new_fields, new_parts
from kfnb.live.messages import Pair, ServiceHead, StaticPart
from kfnb.resources.services.model import RevisionState, ServiceSnapshot
from kfnb.resources.services.view.service import ServiceSection, sections
from kfnb.resources.services.view.use import curl_line, python_line
from kfnb.ui.blocks import bundle
from kfnb.ui.words import one_line


class ServiceWire:
    """A service, whose parts are the sections of its view: only those that look different are sent again."""

    each_refresh = False

    def whole(self, now: ServiceSnapshot) -> Content:
        """All of it."""
        return Content(_head(now), [_part(one) for one in sections(now)])

    def change(self, old: ServiceSnapshot, new: ServiceSnapshot) -> Content:
        """What looks different."""
        return Content(
            new_fields(_head(old), _head(new)),
            new_parts(sections(old), sections(new), _part),
        )


def _part(section: ServiceSection) -> StaticPart:
    html = bundle(section.label, section.blocks)["text/html"] if section.blocks else ""
    return {"id": section.id, "html": html}


def _head(now: ServiceSnapshot) -> ServiceHead:
    curl = curl_line(now)
    return {
        "name": one_line(now.name),
        "generation": now.desired.generation,
        "over": now.state.finished,
        "actions": [] if now.state.finished else list(_actions(now)),
        "lines": [("Python", python_line(now)), ("curl", curl)] if curl else [],
    }


def _actions(now: ServiceSnapshot) -> Iterator[Pair]:
    """What may be done, and what is asked before."""
    canary, earlier = now.desired.of("canary"), now.desired.earlier
    if canary is not None:
        ready = {one.number for one in now.current if one.state is RevisionState.READY}
        if canary.revision in ready:
            yield "promote", f"Send all requests to {one_line(canary.ref)}?"
        yield "rollback", f"End the canary {one_line(canary.ref)}?"
    elif earlier:
        yield "rollback", f"Go back to {one_line(earlier[-1].ref)}?"
    yield "stop", f"Stop service {one_line(now.name)}?"
