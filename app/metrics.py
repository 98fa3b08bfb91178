"""Every metric of the application; docs/reference/metrics.md lists them, and a test compares."""

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

# A second series per counter and histogram that nobody reads.
disable_created_metrics()

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

REQUESTS = Counter("vanta_http_requests", "Requests answered.", ["method", "route", "status"])
REQUEST_SECONDS = Histogram(
    "vanta_http_request_seconds",
    "Time from a request's head to its answer.",
    ["method", "route"],
    buckets=_SECONDS,
)
BATCH_SIZE = Histogram(
    "vanta_batch_size", "Operations that went to PostgreSQL as one statement.", ["kind"],
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
)  # fmt: skip
CACHE_READS = Counter(
    "vanta_cache_reads", "Reads by how the cache served them: hit, miss or bypass.", ["result"]
)
CACHE_CONNECTED = Gauge("vanta_cache_connected", "1 while this process is connected to Redis.")
CACHE_EPOCH_MOVES = Counter(
    "vanta_cache_epoch_moves",
    "Steps of the cache epoch this process asked for, by the state left.",
    ["state"],
)
EXPIRED = Counter("vanta_documents_expired", "Documents removed because their time had passed.")
