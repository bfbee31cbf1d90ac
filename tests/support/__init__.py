"""Real servers and real worker processes for the tests."""
