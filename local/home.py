"""The one folder that holds everything the platform keeps on this machine."""

import fcntl
import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

FOLDER = ".vanta"
# A writer and up to eight readers of one database cluster share a port at addresses of their own.
LOOPBACK = tuple(f"127.0.0.{n}" for n in range(1, 10))
REPOSITORY = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, kw_only=True)
class Home:
    """The folder ``.vanta/`` of one checkout, readable by its owner alone; safe to delete when nothing runs from it.

    ``root`` is absolute. Make one with :meth:`at`.
    """

    root: Path

    @classmethod
    def at(cls, root: Path) -> "Home":
        """Return the home at ``root``, creating the folder (mode 0700) if it is missing."""
        home = cls(root=root.resolve())
        home.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        home.root.chmod(0o700)
        return home

    def folder(self, *names: str) -> Path:
        """Return the sub-folder ``names``, created if missing."""
        path = self.root.joinpath(*names)
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path

    @property
    def processes(self) -> Path:
        """One JSON record a process."""
        return self.folder("processes")

    @property
    def logs(self) -> Path:
        """One log file a process."""
        return self.folder("logs")

    @property
    def tls(self) -> Path:
        """The certificate authority of this home and the server certificate it issued."""
        return self.folder("tls")

    @property
    def databases(self) -> Path:
        """One folder a PostgreSQL cluster."""
        return self.folder("databases")

    @property
    def caches(self) -> Path:
        """One folder a Redis server."""
        return self.folder("caches")

    @property
    def aws(self) -> Path:
        """What the AWS emulator remembers."""
        return self.folder("aws")

    @property
    def addresses(self) -> tuple[str, ...]:
        """The nine addresses at which servers of this home listen, the usual one first.

        Loopback, or the machine's end of the link to its own cluster (:mod:`local.cluster.network`), which pods reach too.
        """
        try:
            return tuple((self.root / "addresses").read_text().split())
        except FileNotFoundError:
            return LOOPBACK

    @contextmanager
    def lock(self, name: str) -> Generator[None]:
        """Hold the lock ``name`` against every other process and thread that works on this home."""
        with (self.folder("locks") / name).open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @contextmanager
    def alone(self, refusal: Exception) -> Generator[None]:
        """Hold this home for one command at a time; raises ``refusal`` at once while another has it."""
        with (self.root / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise refusal from None
            yield


def write(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Replace ``path`` by ``text`` so that a reader or a crash sees the old file or the new one, never a half."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
