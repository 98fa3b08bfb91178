"""How much a pod of the image may use, and where it listens."""

# What the image listens on.
PORT = 8080
PORT_NAME = "http"
# One process on one core; docs/adr/0026-workload.md says what was measured.
REQUESTED_CPU_MILLIS = 250
REQUESTED_MEMORY_MIB = 256
MEMORY_MIB = 512
# ADR 0006: requests under way are answered for 20 seconds once the listener is closed.
FINISHING_SECONDS = 20
# For the interpreter's own end.
MARGIN_SECONDS = 5
# How long a pod serves on, unready, after it was told to end: the time in which whatever sends it requests notices.
# kube-proxy takes a second or two; the load balancer's controller deregisters, and Elastic Load Balancing needs longer.
DRAIN_SECONDS = 5
BALANCER_DRAIN_SECONDS = 20
