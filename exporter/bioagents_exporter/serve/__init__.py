"""Serve: HTTP for Prometheus, people and scripts."""
