"""What a kernel's page shows live: who follows what, and what is sent to the page."""
