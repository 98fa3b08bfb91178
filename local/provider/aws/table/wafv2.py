"""AWS WAF web ACLs; the emulator keeps no logging configuration."""

from local.provider.aws.types import Call, ResourceType, Tagging

_LOGGING = {
    name: f"LoggingConfiguration.{name[0].upper()}{name[1:]}"
    for name in ("resourceArn", "logDestinationConfigs", "redactedFields", "loggingFilter")
}

TYPES = (
    ResourceType(
        token="aws:wafv2/webAcl:WebAcl",
        service="wafv2",
        create=Call(operation="create_web_acl"),
        updates=(Call(operation="update_web_acl", whole=True),),
        read=Call(
            operation="get_web_acl",
            build=lambda s: {"Id": s["id"], "Name": s["name"], "Scope": s["scope"]},
        ),
        delete=(Call(operation="delete_web_acl", takes=frozenset()),),
        # The token says which version is meant to be changed: the one last read.
        identity={"Id": "id", "Name": "name", "Scope": "scope", "LockToken": "lockToken"},
        id="answer.Summary.Id",
        outputs={"arn": "WebACL.ARN", "capacity": "WebACL.Capacity", "lockToken": "LockToken"},
        tagging=Tagging(add="tag_resource", remove="untag_resource", target="ResourceARN"),
    ),
    ResourceType(
        token="aws:wafv2/webAclAssociation:WebAclAssociation",
        service="wafv2",
        create=Call(operation="associate_web_acl"),
        read=Call(operation="get_web_acl_for_resource"),
        answer="WebACL",
        delete=(Call(operation="disassociate_web_acl", takes=frozenset()),),
        identity={"ResourceArn": "resourceArn"},
        id="join(',', [input.webAclArn, input.resourceArn])",
    ),
    ResourceType(
        token="aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration",
        service="wafv2",
        create=Call(operation="put_logging_configuration"),
        updates=(Call(operation="put_logging_configuration", whole=True),),
        delete=(Call(operation="delete_logging_configuration", takes=frozenset()),),
        identity={"ResourceArn": "resourceArn"},
        id="input.resourceArn",
        names=_LOGGING,
        emulated=False,
    ),
)
