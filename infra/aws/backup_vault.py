"""A vault: where backups can be added, and removed by nobody before their time."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.aws.options import holding_data
from infra.names import Names
from infra.settings.backup import BackupSettings
from infra.settings.lifetime import Lifetime

# Copies that are made every few minutes are kept for as long as the next daily one takes to exist.
SHORTEST_DAYS = 1


@dataclass(frozen=True, kw_only=True)
class VaultArgs:
    """Inputs of :class:`BackupVault`, for the region of ``names``."""

    names: Names
    settings: BackupSettings
    lifetime: Lifetime
    kms_key_arn: pulumi.Input[str]


class BackupVault(pulumi.ComponentResource):
    """An encrypted vault whose backups live as long as their rule said when they were made.

    Without ``lock_after_days`` the lock is one of governance, which a privileged administrator can lift; with it, of
    compliance, which is final once those days have passed.

    Produces ``Vault`` and ``VaultLockConfiguration``.

    Source: AWS Backup Developer Guide, "AWS Backup Vault Lock".
    """

    name: pulumi.Output[str]
    arn: pulumi.Output[str]

    def __init__(self, name: str, args: VaultArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:aws:BackupVault", name, None, opts)
        vault = aws.backup.Vault(
            name,
            region=args.names.region,
            name=args.names.of("backup"),
            kms_key_arn=args.kms_key_arn,
            tags=args.names.tags(layer="state", classification="restricted"),
            opts=holding_data(self, lifetime=args.lifetime),
        )
        aws.backup.VaultLockConfiguration(
            name,
            region=args.names.region,
            backup_vault_name=vault.name,
            changeable_for_days=args.settings.lock_after_days or None,
            min_retention_days=SHORTEST_DAYS,
            max_retention_days=args.settings.retention_days,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.name, self.arn = vault.name, vault.arn
        self.register_outputs({"arn": self.arn})
