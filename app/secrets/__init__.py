"""Secrets of agents: sealed under keys that only KMS can open, versioned, and every read of one an event."""
