"""Render: from families to the text that Prometheus reads, exposition format 0.0.4."""

from bioagents_exporter.render.renderer import CONTENT_TYPE, Renderer

__all__ = ["CONTENT_TYPE", "Renderer"]
