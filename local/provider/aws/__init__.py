"""The ``aws`` provider of the one-machine platform: a table of resource types over one generic translation into AWS API calls."""
