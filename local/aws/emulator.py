"""The AWS emulator as a process of a home, seen from outside."""

import http.client
import json
import sys
import time

from local.home import Home
from local.ports import Ports
from local.processes import Command, Processes

NAME = "aws"
# The account that the emulator plays: it takes it from the access key.
ACCOUNT = "000000000000"


class AwsError(Exception):
    """The emulator did not start or could not start an engine; the message says why, with the end of its log."""


class Aws:
    """The emulator of ``home``.

    Any AWS SDK works with :attr:`endpoint`, a region, an access key id that is the 12-digit account number, and any secret.
    """

    def __init__(self, home: Home) -> None:
        self.home = home
        held = Processes(home).running(NAME) is not None
        self.port = Ports(home).claim(NAME, hosts=home.addresses[:1], held=held)

    @property
    def endpoint(self) -> str:
        """What goes into ``AWS_ENDPOINT_URL``."""
        return f"http://{self.home.addresses[0]}:{self.port}"

    def start(self, *, deadline: float = 60) -> None:
        """Start the emulator if it is not running and wait until it answers; :meth:`revive` starts the engines it knows.

        Raises :class:`AwsError` when it does not answer within ``deadline`` seconds.
        """
        processes = Processes(self.home)
        argv = [sys.executable, "-m", "local.aws", "--home", str(self.home.root), "--port", str(self.port)]
        end, tries = time.monotonic() + deadline, 2
        while (down := processes.running(NAME) is None) or not self.ready():
            if (down and tries == 0) or time.monotonic() > end:
                process = processes.get(NAME)
                processes.stop(NAME)
                raise AwsError(
                    f"the AWS emulator did not start at {self.endpoint}:\n{process.tail() if process else ''}"
                )
            if down:
                tries -= 1
                processes.start(Command(name=NAME, argv=argv, cwd=self.home.root))
            time.sleep(0.05)

    def ready(self) -> bool:
        """Whether the emulator answers."""
        try:
            return self._ask("GET", "/_vanta/health")[0] == 200
        except OSError:
            return False

    def revive(self) -> None:
        """Start every database and cache engine that should run and does not, and wait until all take connections.

        Raises :class:`AwsError` if one does not start.
        """
        status, answer = self._ask("POST", "/_vanta/recover", timeout=300)
        if status != 200:
            raise AwsError(answer["error"])

    def stop(self) -> None:
        """Stop the emulator; the engines run on."""
        Processes(self.home).stop(NAME, deadline=15)

    def _ask(self, method: str, path: str, *, timeout: float = 2) -> tuple[int, dict[str, str]]:
        connection = http.client.HTTPConnection(self.home.addresses[0], self.port, timeout=timeout)
        try:
            connection.request(method, path)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()
