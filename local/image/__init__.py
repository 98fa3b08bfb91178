"""The state API's image: built with or without a container engine, read, and run."""
