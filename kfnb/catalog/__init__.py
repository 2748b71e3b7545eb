"""What is recorded beside runs: the model registry's database, and the index that lineage is read from."""
