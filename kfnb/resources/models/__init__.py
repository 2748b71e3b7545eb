"""Models: versions in a registry, their aliases and the leaderboard. Words are Kubeflow Model Registry's."""
