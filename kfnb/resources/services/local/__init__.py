"""Services on this machine: a driver for each, a process for each version, and a router that splits requests."""
