"""What every view is made of: blocks, tables, plots, graphs, words and a theme. No noun, and nothing is fetched."""
