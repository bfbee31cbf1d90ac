"""The reference workers: the queues ``chat`` and ``deep-research`` of the BioAgents fleet, simulated work.

No job calls a model or a network: it waits, holds memory and fails as its message says. Everything around the
job is real: Dramatiq, Redis, the processes, the retries, the dead letters and the metrics.
"""
