"""What a kernel's page shows live: who follows what, and what the page is told."""
