"""The rules for another prefix, other selectors, other thresholds, and for the Prometheus operator.

flags → values that are valid → rules as data → text; nothing is written before all of it worked.
"""
