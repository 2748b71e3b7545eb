"""How a cluster's status and checks are drawn."""
