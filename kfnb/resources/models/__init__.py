"""Models: versions in a registry, their aliases and the leaderboard. Names and meanings are Kubeflow Model Registry's."""
