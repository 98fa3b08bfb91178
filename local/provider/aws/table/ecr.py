"""ECR: repositories, how their images age and are scanned, what is cached and copied."""

from local.provider.aws.types import Call, Params, ResourceType, Tagging
from local.provider.values import Properties


def _policy_of(noun: str, text: str) -> ResourceType:
    """A document that hangs on a repository: set whole, read back, taken away."""
    operation = {"lifecycle": "lifecycle_policy", "repository": "repository_policy"}[noun]
    verb = "put" if noun == "lifecycle" else "set"
    return ResourceType(
        token=f"aws:ecr/{noun}Policy:{noun.capitalize()}Policy",
        service="ecr",
        create=Call(operation=f"{verb}_{operation}"),
        updates=(Call(operation=f"{verb}_{operation}", takes=frozenset({"policy"})),),
        read=Call(operation=f"get_{operation}"),
        delete=(Call(operation=f"delete_{operation}"),),
        identity={"repositoryName": "repository"},
        id="input.repository",
        names={"repository": "repositoryName", "policy": text},
    )


def _no_rules(_: Properties) -> Params:
    """The account has the setting always: to take it away is to set it to what it was at first."""
    return {"scanType": "BASIC", "rules": []}


TYPES = (
    ResourceType(
        token="aws:ecr/repository:Repository",
        service="ecr",
        create=Call(operation="create_repository"),
        updates=(
            Call(operation="put_image_tag_mutability", takes=frozenset({"imageTagMutability"})),
            Call(
                operation="put_image_scanning_configuration", takes=frozenset({"imageScanningConfiguration"})
            ),
        ),
        read=Call(operation="describe_repositories", build=lambda s: {"repositoryNames": [s["id"]]}),
        answer="repositories[0]",
        delete=(
            Call(operation="delete_repository", further=lambda s: {"force": s.get("forceDelete", False)}),
        ),
        identity={"repositoryName": "id"},
        id="input.name",
        names={
            "name": "repositoryName",
            "encryptionConfigurations": "encryptionConfiguration",
            "arn": "repositoryArn",
        },
        outputs={"repositoryUrl": "repositoryUri"},
        unsent=frozenset({"forceDelete"}),
        tagging=Tagging(add="tag_resource", remove="untag_resource", target="resourceArn", keys="tagKeys"),
    ),
    _policy_of("lifecycle", "lifecyclePolicyText"),
    _policy_of("repository", "policyText"),
    ResourceType(
        token="aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration",
        service="ecr",
        create=Call(operation="put_registry_scanning_configuration"),
        updates=(Call(operation="put_registry_scanning_configuration", whole=True),),
        delete=(Call(operation="put_registry_scanning_configuration", build=_no_rules),),
        id="account",
        computed=lambda s: {"registryId": s["@account"]},
        emulated=False,
    ),
    ResourceType(
        token="aws:ecr/replicationConfiguration:ReplicationConfiguration",
        service="ecr",
        create=Call(operation="put_replication_configuration"),
        updates=(Call(operation="put_replication_configuration", whole=True),),
        delete=(
            Call(
                operation="put_replication_configuration",
                build=lambda _: {"replicationConfiguration": {"rules": []}},
            ),
        ),
        id="account",
        computed=lambda s: {"registryId": s["@account"]},
        emulated=False,
    ),
    ResourceType(
        token="aws:ecr/pullThroughCacheRule:PullThroughCacheRule",
        service="ecr",
        create=Call(operation="create_pull_through_cache_rule"),
        delete=(Call(operation="delete_pull_through_cache_rule", takes=frozenset()),),
        identity={"ecrRepositoryPrefix": "id"},
        id="input.ecrRepositoryPrefix",
        computed=lambda s: {"registryId": s["@account"]},
        emulated=False,
    ),
    ResourceType(
        token="aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate",
        service="ecr",
        create=Call(operation="create_repository_creation_template"),
        updates=(Call(operation="update_repository_creation_template", whole=True),),
        delete=(Call(operation="delete_repository_creation_template", takes=frozenset()),),
        identity={"prefix": "id"},
        id="input.prefix",
        names={"appliedFors": "appliedFor", "encryptionConfigurations": "encryptionConfiguration"},
        computed=lambda s: {"registryId": s["@account"]},
        emulated=False,
    ),
)
