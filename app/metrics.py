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
BATCH_WAITING = Gauge("vanta_batch_waiting", "Operations that wait for a batch now.", ["kind"])
POOL_CONNECTIONS = Gauge(
    "vanta_pool_connections", "Connections to PostgreSQL, by what they do: busy or idle.", ["pool", "state"]
)
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

WATCHES = Gauge("vanta_watches", "Watches this process serves now.")
RELAYED = Counter("vanta_events_relayed", "Events this process has put into Redis Streams.")
RELAY_LAG_EVENTS = Gauge("vanta_relay_lag_events", "Events not in Redis Streams yet, of all tenants.")
RELAY_LAG_SECONDS = Gauge("vanta_relay_lag_seconds", "Age of the oldest event not in Redis Streams yet.")
WEBHOOK_DELIVERIES = Counter(
    "vanta_webhook_deliveries",
    "Attempts to deliver an event, by result: delivered, failed or dead.",
    ["result"],
)
EVENTS_SWEPT = Counter("vanta_events_swept", "Events dropped because their time had passed.")
THREADS_SWEPT = Counter("vanta_threads_swept", "Threads of agents deleted because they are kept no longer.")
PRUNED = Counter("vanta_versions_pruned", "Versions removed by the sweeper because they are kept no longer.")

SECRETS_EXPIRED = Counter(
    "vanta_secrets_expired", "Values of secrets destroyed because their time had passed."
)
SESSIONS_EXPIRED = Counter("vanta_sessions_expired", "Sessions removed because their time had passed.")
KMS_CALLS = Counter("vanta_kms_calls", "Calls of KMS.", ["operation", "result"])
