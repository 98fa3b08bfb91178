"""What a webhook is, and how what it sends is signed: Standard Webhooks 1.0 (standardwebhooks.com)."""

import base64
import hashlib
import hmac
import ipaddress
import re
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

MAX_URL = 2048
_PREFIX = "whsec_"
_NOT_PUBLIC = "Events are sent to public addresses only."
# What may stand in a request line and a Host header; whoever has another name sends it in punycode.
_URL = re.compile(
    r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[\x21\x23-\x7e]*)?|https?://\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?(/[\x21\x23-\x7e]*)?"
)

# Addresses that ipaddress calls global although another address is written in them.
_TUNNELS = (
    ipaddress.ip_network("64:ff9b::/96"),
    ipaddress.ip_network("2002::/16"),
    ipaddress.ip_network("2001::/32"),
)


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """Where a tenant wants its events sent; ``types`` and ``subject_prefixes`` empty are all."""

    tenant: UUID
    id: UUID
    url: str
    types: tuple[str, ...]
    subject_prefixes: tuple[str, ...]
    created_at: datetime
    delivered: int
    attempts: int
    disabled_at: datetime | None
    generation: int
    sealed: bytes

    def wants(self, type_: str, subject: str) -> bool:
        """Whether an event of this type about this subject is to be sent."""
        return (not self.types or type_ in self.types) and (
            not self.subject_prefixes or subject.startswith(self.subject_prefixes)
        )


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """An event that was given up: the CloudEvent, and why the last attempt failed."""

    revision: int
    event: str
    reason: str
    died_at: datetime


def secret_text(secret: bytes) -> str:
    """The secret as its holder configures it."""
    return _PREFIX + base64.b64encode(secret).decode()


def signature(secret: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """The header ``webhook-signature``."""
    signed = b"%b.%d.%b" % (message_id.encode(), timestamp, body)
    return "v1," + base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()


def url_error(url: str, *, private: bool) -> str | None:
    """Why nothing is sent to ``url``, or None. ``private`` allows what one machine needs: http, and any address."""
    if len(url) > MAX_URL or not _URL.fullmatch(url):
        return "A URL is https, a host, and a path, in ASCII, without user or fragment."
    parts = urlsplit(url)
    if "#" in url:
        return "A URL has no fragment here."
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        return "The port is none."
    if private:
        return None
    if parts.scheme != "https":
        return "Events are sent by https only."
    host = parts.hostname or ""
    # RFC 6761: this machine, whatever resolves it.
    if host == "localhost" or host.endswith(".localhost"):
        return _NOT_PUBLIC
    try:
        return address_error([host.strip("[]")])
    except ValueError:
        # A name: its addresses are looked at when it is sent to.
        return None


def address_error(addresses: Sequence[str]) -> str | None:
    """Why nothing is sent there, or None; raises ValueError for what is no address. All must be public, or a resolver decides."""
    for text in addresses:
        address = ipaddress.ip_address(text)
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        if not address.is_global or address.is_multicast or any(address in tunnel for tunnel in _TUNNELS):
            return _NOT_PUBLIC
    return None
