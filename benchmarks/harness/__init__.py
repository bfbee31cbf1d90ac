"""Shared by the rows: statistics, scraping, simulated fleets, the measured programs."""
