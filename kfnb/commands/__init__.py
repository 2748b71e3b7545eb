"""Commands: the words of magics and of the command kfnb, read by one set of parsers."""
