"""Another region takes over: what `python -m app dr` does."""
