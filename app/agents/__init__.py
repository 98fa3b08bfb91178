"""What agents remember of their runs: checkpoints of threads, with all that a run needs to go on from one."""
