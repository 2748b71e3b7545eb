"""``kfnb run``: notebooks executed from top to bottom with papermill."""
