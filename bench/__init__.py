"""Benchmarks: each prints its table, writes raw results with the machine's facts, and draws its plot."""
