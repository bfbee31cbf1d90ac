"""A demo fleet on this machine (``bioagents demo``), and the reference workers (``bioagents worker``)."""
