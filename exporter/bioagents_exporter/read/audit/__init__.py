"""What a scrape's budget does not allow to read: bounded steps in the background, over all queues in turn."""
