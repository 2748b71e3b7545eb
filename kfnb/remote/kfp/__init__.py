"""The KFP API server: runs, schedules, pipelines, experiments."""
