"""The board "Actor"."""
