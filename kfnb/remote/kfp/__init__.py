"""The KFP API server, whoever asks it: runs, schedules, pipelines, experiments."""
