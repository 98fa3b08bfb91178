"""What has to exist before the first ``pulumi up``: the state backend, its key, and the roles that GitHub's jobs take."""
