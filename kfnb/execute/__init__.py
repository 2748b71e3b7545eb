"""``kfnb run``: notebooks executed from top to bottom without a person, by papermill."""
