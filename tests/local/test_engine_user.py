"""Root's engines run as somebody else, from wherever root keeps them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.engine_user import NOBODY, as_engine_user

# access(2), by which PostgreSQL looks for its own programs, counts no capability.
PROGRAM = f"""#!{sys.executable}
import os
print(os.geteuid(), os.access(__file__, os.X_OK))
"""


def test_an_engine_is_not_run_as_root_and_reaches_its_files_in_a_closed_folder(tmp_path: Path) -> None:
    if os.geteuid() == 0 and subprocess.run(["unshare", "--user", "true"], check=False).returncode:
        pytest.skip("this machine forbids user namespaces, without which closed folders stay closed")
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o700)
    program = folder / "program"
    program.write_text(PROGRAM)
    program.chmod(0o755)
    said = subprocess.run(as_engine_user([str(program)]), capture_output=True, text=True, check=True).stdout
    assert said.split() == [str(os.geteuid() or NOBODY), "True"]
