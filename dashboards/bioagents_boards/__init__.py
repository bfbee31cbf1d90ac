"""Code that builds the Grafana boards with Grafana's SDK; it is not part of the wheel."""
