"""Why what is served is not as what the version was made of: the evidence, and a function for each likely cause."""
