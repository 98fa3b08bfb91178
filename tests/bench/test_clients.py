"""Clients in a process of their own end with whoever started them, however that ends."""

import socket
import subprocess
import sys
import time

import psutil

STARTS = """
import sys
from bench.clients import clients

if __name__ == "__main__":
    with clients(sys.argv[1], "key", 1):
        pass
"""


def test_clients_end_with_a_parent_that_is_killed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        mute.settimeout(30)
        url = f"http://127.0.0.1:{mute.getsockname()[1]}"
        with subprocess.Popen([sys.executable, "-c", STARTS, url]) as parent:
            # Its first request, which is never answered: it is at work.
            mute.accept()[0].close()
            started = psutil.Process(parent.pid).children(recursive=True)
            parent.kill()
        end = time.monotonic() + 10
        while any(process.is_running() for process in started):
            assert time.monotonic() < end, "clients outlive who started them"
            time.sleep(0.05)
