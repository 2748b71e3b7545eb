"""``kfnb ui``: what notebooks show, for a browser without a notebook. One process on this machine."""
