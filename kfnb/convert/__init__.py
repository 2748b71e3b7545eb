"""Notebooks made of what other tools wrote: Kale's notebooks, Elyra's pipelines, compiled pipelines."""
