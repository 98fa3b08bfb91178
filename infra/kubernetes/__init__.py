"""The state API in Kubernetes: one noun a file, the same objects for every cluster."""
