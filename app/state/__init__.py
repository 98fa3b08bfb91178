"""The real-time layer: JSON documents with versions, kept in PostgreSQL and read through Redis."""
