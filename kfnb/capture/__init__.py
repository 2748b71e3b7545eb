"""From the source of cells to components: what each reads, writes and needs, and what travels with it."""
