"""Profiles of tables, and schemas that tables are checked against.

What also runs in a step or in a server, without kfnb, is in ``kfnb.capture.embedded``: measuring, counting into the
bins of a reference, distances, checks. Here is what the kernel and the processes of kfnb have beside.
"""
