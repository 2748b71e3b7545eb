"""Components and pipelines of a notebook."""
