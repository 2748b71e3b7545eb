"""A made-up noun, as a newcomer would write one: a folder, and a row in the registry."""
