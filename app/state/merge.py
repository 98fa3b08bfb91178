"""JSON Merge Patch (RFC 7396) that leaves every byte alone which the patch does not name.

Only objects that the patch reaches into are taken apart, and their members are kept as the bytes that were sent: a number such
as 1.10 or 12345678901234567890 comes out as it went in.
"""

import msgspec

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_NOTHING = b""


def apply(target: bytes | None, patch: bytes) -> bytes:
    """``target`` (None: there is no document) changed by ``patch``; both are documents, and so is the result but for its size."""
    return _merge(_NOTHING if target is None else target.strip(), patch.strip())


def _merge(target: bytes, patch: bytes) -> bytes:
    if not patch.startswith(b"{"):
        return patch
    members = _members.decode(target) if target.startswith(b"{") else {}
    for name, change in _members.decode(patch).items():
        below = bytes(change)
        if below == b"null":
            members.pop(name, None)
        elif below.startswith(b"{"):
            members[name] = msgspec.Raw(_merge(bytes(members.get(name, _NOTHING)), below))
        else:
            members[name] = change
    return msgspec.json.encode(members)
