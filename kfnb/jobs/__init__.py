"""Jobs: what runs in a process of its own and outlives the kernel that started it.

A job is a folder (``folder``) with an event log (``eventlog``). One process drives it (``driver``), holds the folder's
lock as long as it lives, and alone writes to the log. Everybody else reads: the log's events add up to the job's state
(``fold``), which is looked at again and again (``polling``). A driver that died is noticed by whoever looks
(``recovery``). Runs and studies are jobs; what their events mean, and what their drivers do, is theirs.
"""
