"""The rooms on AWS: one noun a file, each a component resource with frozen, typed arguments."""
