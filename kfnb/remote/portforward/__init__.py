"""Local ports forwarded to services in a cluster."""
