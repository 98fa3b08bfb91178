"""What a stack file says of the name by which its API is called."""

import re
from dataclasses import dataclass

from infra.refusal import refusal
from infra.settings.recovery import RecoverySettings

# RFC 1035, section 2.3.4, and RFC 1123, section 2.1: labels of up to 63 letters, digits and inner hyphens.
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
DOMAIN = rf"{_LABEL}(\.{_LABEL})+"
# AWS Certificate Manager API: RequestCertificate, SubjectAlternativeNames: the first name has at most 64 characters.
NAME_LENGTH = 64


@dataclass(frozen=True, kw_only=True)
class DnsSettings:
    """The hosted zone, and the label of the API within it; without ``zone`` nothing is reached from outside.

    Without ``zone_id`` the zone is made.
    """

    zone: str
    zone_id: str
    label: str

    @property
    def host(self) -> str:
        """The name by which clients call the API, wherever it runs."""
        return f"{self.label}.{self.zone}"


def check_dns(dns: DnsSettings, *, recovery: RecoverySettings, stack: str) -> None:
    """Names that DNS and a certificate can carry, and nothing that a standby gets from its primary."""
    if dns.zone and recovery.standby:
        raise refusal(
            "dns.zone",
            dns.zone,
            "but vanta:recovery.role is standby, which answers in its primary's zone",
            "Remove it",
        )
    if dns.zone_id and not dns.zone:
        raise refusal("dns.zoneId", dns.zone_id, "but vanta:dns.zone does not say its name", "Set both")
    if dns.zone_id and not re.fullmatch(r"Z[A-Z0-9]{1,31}", dns.zone_id):
        raise refusal(
            "dns.zoneId", dns.zone_id, "which is no hosted zone's id", "Write it like Z0123456789ABCDEFGHIJ"
        )
    if dns.zone and not re.fullmatch(DOMAIN, dns.zone):
        raise refusal("dns.zone", dns.zone, "which is no domain", "Write it like vanta.example.com")
    if not re.fullmatch(_LABEL, dns.label):
        raise refusal("dns.label", dns.label, "which is no label of a domain", "Write it like api")
    if dns.label == stack:
        raise refusal(
            "dns.label", dns.label, "but that name leads to this stack alone, whoever serves", "Use api"
        )
    if dns.zone and len(dns.host) > NAME_LENGTH:
        raise refusal(
            "dns.zone",
            dns.zone,
            f"but with vanta:dns.label it has {len(dns.host)} characters, of which a certificate takes {NAME_LENGTH}",
            "Use a shorter one",
        )
