"""Components and pipelines, as a notebook defines them."""
