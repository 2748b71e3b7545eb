"""Ports of this machine that lead to services in a cluster."""
