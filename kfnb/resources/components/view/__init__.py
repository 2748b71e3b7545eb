"""The views of components and pipelines before they run."""
