"""The row that the made-up noun of ``kettles/`` adds to ``kfnb.registry.NOUNS``: all that kfnb is told of it."""

from __future__ import annotations

from kfnb.registry import Noun

_PACKAGE = "tests.registry.kettles"

KETTLES = Noun(
    "kettles",
    (
        ("BoilKettle", "%kf_boil", "boil", "put a kettle on"),
        ("BoilCell", "%%kf_boil"),
        ("ShowKettle", "%kf_kettle", "kettles show", "show a kettle"),
        ("ListKettles", "%kf_kettles", "kettles", "list the kettles"),
        ("EmptyKettle", "%kf_kettles empty", "kettles empty", "pour a kettle out"),
    ),
    exports={"boil": "api", "kettles": "api"},
    displays=(f"{_PACKAGE}.handle.KettleHandle", f"{_PACKAGE}.model.KettleList"),
    live=(f"{_PACKAGE}.handle.KettleHandle",),
    values=("kettle",),
    package=_PACKAGE,
)
