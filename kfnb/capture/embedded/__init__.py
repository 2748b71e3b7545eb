"""Functions whose source travels with a step: how values are loaded and saved there, and what ``kf`` is there.

A compiled step needs Python and its packages, not kfnb; so each function here imports what it needs inside, calls only
functions of this package, and is copied as text into the step: of all of them, those that the step uses, packed by
``pipeline.packing``.
"""
