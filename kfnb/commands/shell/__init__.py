"""Completion of the words of the command in a shell."""
