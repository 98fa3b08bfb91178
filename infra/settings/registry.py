"""What a stack file says of its registry of images."""

import re
from dataclasses import dataclass
from typing import Literal

from infra.refusal import refusal
from infra.settings.limits import within
from infra.settings.recovery import RecoverySettings

# Amazon ECR API: LifecyclePolicyText, countNumber is at least 1; a repository holds 100,000 images unless AWS is asked.
KEPT_IMAGES = range(1, 100_001)


@dataclass(frozen=True, kw_only=True)
class RegistrySettings:
    """The repository of the state API's images; clusters of ``reader_accounts`` pull from it too."""

    enabled: bool
    account_settings: bool
    scanning: Literal["BASIC", "ENHANCED"]
    kept_images: int
    reader_accounts: str

    @property
    def readers(self) -> list[str]:
        """The ids in ``reader_accounts``."""
        return [part.strip() for part in self.reader_accounts.split(",") if part.strip()]


def check_registry(registry: RegistrySettings, *, recovery: RecoverySettings) -> None:
    """The ranges of Amazon ECR, and nothing asked for that another stack decides."""
    within("registry.keptImages", registry.kept_images, KEPT_IMAGES, noun="{} to {} images")
    for account in registry.readers:
        if not re.fullmatch(r"[0-9]{12}", account):
            raise refusal(
                "registry.readerAccounts",
                account,
                "which is no AWS account id",
                "Write ids of 12 digits in quotes",
            )
    if registry.scanning == "ENHANCED" and not registry.account_settings:
        raise refusal(
            "registry.scanning",
            registry.scanning,
            "but that is set for a whole account and region, which vanta:registry.accountSettings leaves to another stack",
            "Set that to true, or use BASIC",
        )
    if registry.enabled and recovery.region and not registry.account_settings:
        raise refusal(
            "registry.accountSettings",
            registry.account_settings,
            f"but then no image is copied to vanta:recovery.region ({recovery.region})",
            "Set it to true; one stack of an account and region may",
        )
