"""Previews of artifacts: the beginning of their content. Nothing is unpickled."""
