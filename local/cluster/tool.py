"""Running the machine's own tools, with their words in the refusal when one fails."""

import subprocess

from local.cluster.error import ClusterError


def run(*argv: str, said: str | None = None) -> str:
    """Run ``argv`` with ``said`` as its standard input and return what it prints; raises :class:`ClusterError`."""
    done = subprocess.run(argv, input=said, capture_output=True, text=True, check=False)
    if done.returncode:
        words = (done.stderr or done.stdout).strip()[-2000:]
        raise ClusterError(
            f"`{' '.join(argv)}` failed: {words}. Put it right and run the same command again, "
            "or start over with `make cluster-down`."
        )
    return done.stdout
