"""``bioagents demo``: a fleet that runs on this machine, to see what the monitor shows of it."""
