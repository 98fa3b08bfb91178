"""The load test: requests that leave on schedule, each accounted for, and a verdict."""
