"""The reference workers: queues ``chat`` and ``deep-research`` of the BioAgents fleet, with simulated work.

Nothing here calls a model or a network: a job waits, holds memory and fails as its message says. What is real
is everything around it: Dramatiq, Redis, the processes, the retries, the dead letters, and what is reported.
"""
