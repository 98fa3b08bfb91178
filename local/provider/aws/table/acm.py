"""Certificates, which the emulator issues at once."""

from local.provider.aws.types import Call, ResourceType, Tagging

_OFFERED = (
    "DomainValidationOptions[].{domainName: DomainName, resourceRecordName: ResourceRecord.Name, "
    "resourceRecordType: ResourceRecord.Type, resourceRecordValue: ResourceRecord.Value}"
)
# Not the key's algorithm, which the emulator takes for RSA whatever it was asked for.
_CERTIFICATE = (
    "Certificate.{CertificateArn: CertificateArn, DomainName: DomainName, Status: Status, "
    "DomainValidationOptions: DomainValidationOptions}"
)

TYPES = (
    ResourceType(
        token="aws:acm/certificate:Certificate",
        service="acm",
        create=Call(operation="request_certificate"),
        read=Call(operation="describe_certificate"),
        answer=_CERTIFICATE,
        delete=(Call(operation="delete_certificate"),),
        identity={"CertificateArn": "id"},
        id="answer.CertificateArn",
        names={"arn": "CertificateArn"},
        outputs={"domainValidationOptions": _OFFERED, "status": "Status"},
        tagging=Tagging(
            add="add_tags_to_certificate",
            remove="remove_tags_from_certificate",
            target="CertificateArn",
            keys="Tags",
        ),
    ),
    # Nothing of its own: it exists when its certificate is issued.
    ResourceType(
        token="aws:acm/certificateValidation:CertificateValidation",
        service="acm",
        create=Call(operation="describe_certificate"),
        read=Call(operation="describe_certificate"),
        answer="Certificate | [@][?Status=='ISSUED'] | [0]",
        identity={"CertificateArn": "certificateArn"},
        id="input.certificateArn",
    ),
)
