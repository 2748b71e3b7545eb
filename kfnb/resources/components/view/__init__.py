"""How components and pipelines are drawn before they run."""
