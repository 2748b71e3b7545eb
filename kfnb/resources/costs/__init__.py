"""What runs, studies and services cost, and what they would cost elsewhere."""
