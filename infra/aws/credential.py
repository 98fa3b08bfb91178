"""A credential nobody chose and nobody has to type: generated, and kept where only its users may read it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from infra.aws.options import holding_data
from infra.names import Names
from infra.settings.lifetime import Lifetime

# A deleted secret can be brought back for this long; a throw-away stack's is gone at once, so that its name is free.
_RECOVERY_DAYS = 30


@dataclass(frozen=True, kw_only=True)
class CredentialArgs:
    """Inputs of :class:`Credential`; ``document`` turns the password into what the secret holds, as JSON.

    ``copies`` are the regions that get a copy of the secret, each with the ARN of the key that encrypts it there.
    """

    names: Names
    lifetime: Lifetime
    kms_key_arn: pulumi.Input[str]
    description: str
    length: int
    document: Callable[[str], Mapping[str, str]]
    copies: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


class Credential(pulumi.ComponentResource):
    """A random password in Secrets Manager, of which other regions may have copies that follow each change.

    Produces ``RandomPassword``, ``Secret`` and ``SecretVersion``. The password consists of letters and digits: every
    service accepts them, and nothing has to quote them.

    ``password`` is a secret output, as the provider's schema says; ``arn`` is where the app reads the document. A copy has the same ARN
    but for its region.

    Source: AWS Secrets Manager User Guide, "Replicate AWS Secrets Manager secrets across Regions".
    """

    arn: pulumi.Output[str]
    password: pulumi.Output[str]

    def __init__(self, name: str, args: CredentialArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:aws:Credential", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)

        generated = random.RandomPassword(
            name, length=args.length, special=False, min_lower=1, min_upper=1, min_numeric=1, opts=child
        )
        self.password = generated.result
        secret = aws.secretsmanager.Secret(
            name,
            name=args.names.of(name),
            description=args.description,
            kms_key_id=args.kms_key_arn,
            replicas=[{"region": region, "kms_key_id": key} for region, key in args.copies.items()],
            recovery_window_in_days=_RECOVERY_DAYS if args.lifetime.kept else 0,
            tags=args.names.tags(layer="state", classification="restricted"),
            opts=holding_data(self, lifetime=args.lifetime),
        )
        aws.secretsmanager.SecretVersion(
            name,
            secret_id=secret.id,
            secret_string=self.password.apply(lambda password: json.dumps(args.document(password))),
            opts=child,
        )
        self.arn = secret.arn
        self.register_outputs({"arn": self.arn})
