"""The boards in each form in which people bring them in."""
