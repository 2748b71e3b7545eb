"""Kettles on this machine: each is a job of ``kfnb.jobs``, which outlives the kernel."""
