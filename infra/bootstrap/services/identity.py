"""Roles, which a deployment makes within a boundary alone."""

from collections.abc import Mapping

from infra.bootstrap.services.grant import Grant, Service

SERVICES: Mapping[str, Service] = {
    "iam": Service(
        reads=("GetRole", "GetRolePolicy", "ListAttachedRolePolicies", "ListRolePolicies", "ListRoleTags"),
        read_from=("arn:{partition}:iam::{account}:role/vanta-{stack}-*",),
        changes=(
            Grant(
                sid="RolesMadeWithinTheBoundary",
                need="services take roles of the stack, and none reaches beyond its boundary",
                actions=("AttachRolePolicy", "CreateRole", "PutRolePermissionsBoundary", "PutRolePolicy"),
                resources=("arn:{partition}:iam::{account}:role/vanta-{stack}-*",),
                condition={"StringEquals": {"iam:PermissionsBoundary": "{boundary}"}},
            ),
            Grant(
                sid="RolesKept",
                need="roles of the stack change and go with what takes them",
                actions=(
                    "DeleteRole",
                    "DeleteRolePolicy",
                    "DetachRolePolicy",
                    "ListInstanceProfilesForRole",
                    "TagRole",
                    "UntagRole",
                    "UpdateAssumeRolePolicy",
                    "UpdateRole",
                ),
                resources=("arn:{partition}:iam::{account}:role/vanta-{stack}-*",),
            ),
        ),
    ),
}
