"""A Kubernetes API server: asked, watched, and what it says of pods."""
