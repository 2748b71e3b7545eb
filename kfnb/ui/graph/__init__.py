"""Graphs: from a scene to layers, places and inline SVG."""
