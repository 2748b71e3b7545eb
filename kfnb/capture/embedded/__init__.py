"""Functions whose source is embedded in steps: loading and saving values, and ``kf`` in a step.

A compiled step needs Python and its packages, not kfnb. So each function here imports what it needs inside, calls only
functions of this package, and is copied as text into the steps that use it, packed by ``pipeline.packed_code``.
"""
