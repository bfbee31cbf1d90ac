"""The counter transport: its executable specification, and the real parts held against it."""
