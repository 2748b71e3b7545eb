"""Models of other tools: MLflow's model folders and repositories of the Hugging Face Hub."""
