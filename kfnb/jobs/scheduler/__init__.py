"""The scheduler: work that begins by the clock, whether a kernel runs or not.

A schedule is a folder (``folder``) that says when (``timing``) which program does what. Each time is a tick: a separate
process (``ticking``, started by ``order``) that holds the folder's lock while it works, so that no two work at once,
and that records its time before it begins, so that none is done twice. What happened is in the folder's event log
(``records`` writes it, ``history`` is what it means).

One process a home (``process``) sleeps until the next tick and starts it. It exits when nothing is enabled. Whoever
looks at schedules (``control``) starts it again where it was killed, or the machine was off: what was missed is
recorded, and made up for once. What is due is decided by ``planning``, without clock or files.

It is one process for all schedules, since each sleeping Python takes memory; their ticks cannot block it, nor end it.
"""
