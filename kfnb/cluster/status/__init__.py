"""What there is in a cluster, as its user may see it: questions asked side by side, each with an answer of its own."""

from kfnb.cluster.status.gather import gather, gather_again

__all__ = ["gather", "gather_again"]
