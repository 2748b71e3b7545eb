"""How a cluster on this machine is drawn, in text."""

from __future__ import annotations

from kfnb.resources.cluster.model import CheckOutcome
from kfnb.resources.localcluster.model import Found, LocalClusterStatus, Reached, with_profile


def draw_local_cluster(how: LocalClusterStatus) -> dict[str, str]:
    """A cluster, and which parts of Kubeflow are ready in it."""
    record = how.record
    there = {Found.ABSENT: "does not exist", Found.STOPPED: "is stopped", Found.RUNNING: "runs"}[how.found]
    text = f"{record.profile} ({record.tool}, Kubernetes {record.kubernetes}) {there}"
    lines = [text, f"Kubeflow {how.release or record.release}: {'ready' if how.ready else _why(how)}"]
    for part in how.parts:
        count = f"{part.ready} of {part.desired} ready" if part.desired else ""
        failing = f": {', '.join(part.failing)}" if part.failing else ""
        lines.append(f"  {part.name:<15} {part.version:<10} {count}{failing}".rstrip())
    cut = how.hairpin
    if cut is not None and cut.outcome is CheckOutcome.BAD:
        lines += [f"  {cut.message}", f"    {cut.fix}"]
    return {"text/plain": "\n".join(lines)}


def _why(how: LocalClusterStatus) -> str:
    if how.trouble:
        return how.trouble
    again = with_profile("kfnb cluster up", how.record.profile)
    if how.found is not Found.RUNNING:
        return f"{again} starts it"
    if how.record.reached is not Reached.READY:
        return f"not all of it was applied; {again} continues"
    return "not ready"
