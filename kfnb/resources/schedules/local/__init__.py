"""Schedules on this machine: ticks of ``kfnb.jobs.scheduler`` that start local runs."""
