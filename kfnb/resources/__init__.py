"""The nouns: a folder each, with the same roles of files in each."""
