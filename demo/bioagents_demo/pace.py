"""How much faster than in life the demo runs."""

from __future__ import annotations

from typing import Final

#: Simulated seconds per real second, by queue: a chat answer of 6 s takes 0.3 s, eight hours take 48 s.
CHAT_SPEED: Final = 20.0
RESEARCH_SPEED: Final = 600.0

#: All durations of the alert rules are divided by this: ten minutes are 10 s.
ALERT_FACTOR: Final = 60.0

#: The Dramatiq namespace and the fleet label of the demo.
NAMESPACE: Final = "demo"
