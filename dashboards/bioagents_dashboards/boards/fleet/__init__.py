"""The board "Fleet overview"."""
