"""Every query of the boards by what it asks, apart from the panels that draw it; functions return PromQL."""
