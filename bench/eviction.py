"""What each eviction policy keeps when the cache is full: ``python -m bench.eviction``.

One Redis of 32 MB a policy. First what must stay, without expiry: a stream and a lock. Then hot documents, each read
several times, and last a scan that writes far more documents than fit, each once. Writes ``bench/results/eviction.json``
and draws ``bench/results/eviction.svg``.
"""

import json
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bench.machine import facts
from local.home import Home
from local.redis import Redis

POLICIES = ("noeviction", "allkeys-lru", "allkeys-lfu", "volatile-lru", "volatile-ttl", "volatile-lfu")
RESULTS = Path(__file__).parent / "results"
SCENARIO = {
    "memory": "32mb",
    "streams": 50,
    "entriesPerStream": 100,
    "entryBytes": 100,
    "hotDocuments": 2000,
    "readsPerHotDocument": 20,
    "scannedDocuments": 60_000,
    "documentBytes": 1024,
    "expirySeconds": 3600,
}
