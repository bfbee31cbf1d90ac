"""What the rows share: statistics, scraping, simulated fleets, the programs that are measured."""
