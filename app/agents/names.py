"""Which names agents, threads and checkpoints may have: one segment of a path each, for the reasons of app/state/names.py."""

import re

# Python's $ lets a newline follow, which the lookahead refuses; in a JSON Schema it changes nothing.
AGENT_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._~:@-]{0,127}$(?!\n)"
THREAD_PATTERN = r"^[A-Za-z0-9._~!$&'()*+,;=:@-]{1,512}$(?!\n)"
CHECKPOINT_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._~:@-]{0,127}$(?!\n)"
#: Of a namespace and a channel. The key of an index has 2704 bytes at most, for a namespace, a checkpoint and a task.
TEXT_PATTERN = r"^[^\x00-\x1f\x7f]*$(?!\n)"
MAX_NAMESPACE = 384
MAX_CHANNEL = 192
TASK_PATTERN = r"^[\x20-\x7e]{1,128}$(?!\n)"
TYPE_PATTERN = r"^[\x21-\x7e]{1,64}$(?!\n)"
VERSION_PATTERN = r"^[\x20-\x7e]{0,128}$(?!\n)"

_agent = re.compile(AGENT_PATTERN)
_thread = re.compile(THREAD_PATTERN)
_checkpoint = re.compile(CHECKPOINT_PATTERN)


def agent_error(name: str) -> str | None:
    """Why ``name`` is no agent's, or None."""
    if _agent.fullmatch(name):
        return None
    return "An agent is named by 1 to 128 letters, digits and ._~:@-, a letter or digit first."


def thread_error(name: str) -> str | None:
    """Why ``name`` is no thread's, or None."""
    if _thread.fullmatch(name) and name not in {".", ".."}:
        return None
    return 'A thread is named by 1 to 512 letters, digits and -._~!$&\'()*+,;=:@, but not "." or "..".'


def checkpoint_error(name: str) -> str | None:
    """Why ``name`` is no checkpoint's, or None."""
    if _checkpoint.fullmatch(name):
        return None
    return "A checkpoint is named by 1 to 128 letters, digits and ._~:@-, a letter or digit first."
