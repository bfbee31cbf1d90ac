"""Grafana boards for fleets of Dramatiq workers: code that builds them, a command that imports them."""
