"""The Kubernetes API: requests, watches, and the diagnosis of pods."""
