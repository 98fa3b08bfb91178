"""Third-party pieces as pinned Helm charts, a file for each with the values that it is given."""
