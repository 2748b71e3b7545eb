"""What kernel and page tell each other, so that what a notebook shows of something that is running stays up to date."""
