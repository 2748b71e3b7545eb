"""From the source of cells to components: what each cell reads, writes and needs, and what its step carries."""
