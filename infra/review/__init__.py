"""What a pull request would do to a stack: reads ``pulumi preview --json``, writes the comment, refuses loss of data."""
