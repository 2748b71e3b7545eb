"""The registry on this machine, or in a folder that a team shares: SQLite, and model folders by their content."""
