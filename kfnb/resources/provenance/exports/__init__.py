"""Manifests in the forms of other tools: each file has one, as a function from a manifest to a text."""
