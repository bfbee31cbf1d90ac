"""Builds the boards from code: queries, panels and boards apart. Only this needs grafana-foundation-sdk."""
