"""IAM roles and what is attached to them."""

from local.provider.aws.types import Call, ResourceType, Tagging

TYPES = (
    ResourceType(
        token="aws:iam/role:Role",
        service="iam",
        create=Call(operation="create_role"),
        updates=(
            Call(operation="update_role", takes=frozenset({"description", "maxSessionDuration"})),
            Call(
                operation="update_assume_role_policy",
                takes=frozenset({"assumeRolePolicy"}),
                build=lambda s: {"RoleName": s["id"], "PolicyDocument": s["assumeRolePolicy"]},
            ),
            Call(operation="put_role_permissions_boundary", takes=frozenset({"permissionsBoundary"})),
        ),
        read=Call(operation="get_role"),
        answer="Role",
        delete=(Call(operation="delete_role"),),
        identity={"RoleName": "id"},
        id="input.name",
        names={"name": "RoleName", "assumeRolePolicy": "AssumeRolePolicyDocument", "uniqueId": "RoleId"},
        outputs={"permissionsBoundary": "PermissionsBoundary.PermissionsBoundaryArn"},
        unsent=frozenset({"forceDetachPolicies"}),
        tagging=Tagging(add="tag_role", remove="untag_role", target="RoleName", source="id"),
    ),
    ResourceType(
        token="aws:iam/rolePolicy:RolePolicy",
        service="iam",
        create=Call(operation="put_role_policy"),
        updates=(Call(operation="put_role_policy", takes=frozenset({"policy"})),),
        read=Call(operation="get_role_policy"),
        delete=(Call(operation="delete_role_policy"),),
        identity={"RoleName": "role", "PolicyName": "name"},
        id="join(':', [input.role, input.name])",
        names={"role": "RoleName", "name": "PolicyName", "policy": "PolicyDocument"},
    ),
    ResourceType(
        token="aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        service="iam",
        create=Call(operation="attach_role_policy"),
        read=Call(operation="list_attached_role_policies", build=lambda s: {"RoleName": s["role"]}),
        answer="AttachedPolicies[?ends_with('$id', PolicyArn)] | [0]",
        delete=(
            Call(
                operation="detach_role_policy",
                build=lambda s: {"RoleName": s["role"], "PolicyArn": s["policyArn"]},
            ),
        ),
        id="join('/', [input.role, input.policyArn])",
        names={"role": "RoleName"},
    ),
)
