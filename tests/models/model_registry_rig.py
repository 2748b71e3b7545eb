"""A model registry of Kubeflow's to test with: recorded traffic of a real one, or a real one."""
