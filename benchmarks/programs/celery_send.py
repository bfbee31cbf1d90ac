"""Send a Celery task for each line of input (run by its environment); the line is the queue's name."""

from __future__ import annotations

import sys

from celery_app import recorded

for line in sys.stdin:
    recorded.apply_async(queue=line.strip())
    print("sent", flush=True)
