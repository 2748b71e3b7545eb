"""Measures of kfnb's speed; ``python -m benchmarks`` runs them."""
