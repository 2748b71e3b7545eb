"""Services: versions of models that answer requests over HTTP, here or on a cluster."""
