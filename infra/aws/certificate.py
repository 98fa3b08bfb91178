"""The certificate: proof to clients that they speak with the platform, renewed by AWS."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi_aws.acm.outputs import CertificateDomainValidationOption

from infra.names import Names

TTL_SECONDS = 300
# A zone that nobody delegates to never proves anything: the default of 75 minutes would only tell so later.
PATIENCE = "30m"


@dataclass(frozen=True, kw_only=True)
class CertificateArgs:
    """Inputs of :class:`Certificate`.

    ``hosts`` are the names that it is for, the first its own. ``proven`` are those whose records this stack keeps, by noun:
    within an account a name has one record, whichever region asks, so that of a shared name belongs to one stack.
    """

    names: Names
    zone_id: pulumi.Input[str]
    hosts: Sequence[str]
    proven: Mapping[str, str]


class Certificate(pulumi.ComponentResource):
    """A public certificate, and the records by which AWS sees that the names are ours, now and at each renewal.

    Produces ``Certificate``, a ``Record`` for each of the names proven here, and ``CertificateValidation``, which waits
    until the certificate is issued.

    Source: AWS Certificate Manager User Guide, "AWS Certificate Manager DNS validation".
    """

    arn: pulumi.Output[str]

    def __init__(self, name: str, args: CertificateArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:aws:Certificate", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        certificate = aws.acm.Certificate(
            name,
            domain_name=args.hosts[0],
            subject_alternative_names=list(args.hosts),
            validation_method="DNS",
            key_algorithm="EC_prime256v1",
            tags=args.names.tags(layer="foundation", classification="public"),
            opts=child,
        )
        records = []
        for noun, host in args.proven.items():
            proof = certificate.domain_validation_options.apply(lambda offered, host=host: _of(offered, host))
            record = aws.route53.Record(
                f"{name}-{noun}",
                zone_id=args.zone_id,
                name=proof.apply(lambda option: option.resource_record_name or ""),
                type=proof.apply(lambda option: option.resource_record_type or ""),
                records=[proof.apply(lambda option: option.resource_record_value or "")],
                ttl=TTL_SECONDS,
                # A certificate for the same name asks for the same record, even one that is made to replace this.
                allow_overwrite=True,
                opts=child,
            )
            records.append(record)
        validation = aws.acm.CertificateValidation(
            name,
            certificate_arn=certificate.arn,
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=records, custom_timeouts=pulumi.CustomTimeouts(create=PATIENCE)
            ),
        )
        self.arn = validation.certificate_arn
        self.register_outputs({"arn": self.arn})


def _of(offered: Sequence[CertificateDomainValidationOption], host: str) -> CertificateDomainValidationOption:
    """The proof for ``host``; AWS gives them in any order."""
    return next(option for option in offered if option.domain_name == host)
