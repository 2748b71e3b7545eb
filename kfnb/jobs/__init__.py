"""Jobs: what runs in a process of its own and outlives the kernel that started it.

A job is a folder (``folder``) with an event log (``eventlog``). One process drives it (``driver``), holds the folder's
lock as long as it lives, and is the only writer of the log. All other processes read: the log's events add up to the
job's state (``fold``), which readers poll (``polling``). A reader that finds the driver dead records that
(``recovery``). Runs and studies are jobs; what their events mean, and what their drivers do, is theirs.
"""
