"""Trainings on a cluster: TrainJobs of Kubeflow Trainer."""
