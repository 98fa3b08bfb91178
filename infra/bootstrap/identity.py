"""IAM: the trust in GitHub's tokens, the roles, and the policies attached to them."""

import json
from collections.abc import Sequence
from typing import Any

from infra.bootstrap.clients import Clients
from infra.bootstrap.ledger import Ledger, canonical
from infra.bootstrap.plan import Plan
from infra.bootstrap.refusal import found
from infra.bootstrap.tags import LISTED
from infra.bootstrap.trust import AUDIENCE, ISSUER

_ABSENT = "NoSuchEntity"
_HOUR = 3600
# AWS IAM User Guide, "IAM and AWS STS quotas": versions of a managed policy.
_VERSIONS = 5


class Identity:
    """The identities of the bootstrap; each method reads, compares, and writes what differs."""

    def __init__(self, clients: Clients, plan: Plan, ledger: Ledger) -> None:
        self._client: Any = clients("iam", plan.region)
        self._plan, self._ledger = plan, ledger

    def provider(self) -> None:
        """Let AWS take tokens that GitHub signed; the account may have others use the same provider."""
        self._ledger.begin(f"OpenID Connect provider {ISSUER}")
        arn = self._plan.iam(f"oidc-provider/{ISSUER}")
        now = found(lambda: self._client.get_open_id_connect_provider(OpenIDConnectProviderArn=arn), _ABSENT)
        if now is None:
            self._ledger.change(
                "make it",
                # AWS checks GitHub's certificate against its own authorities; it asks for no thumbprint.
                lambda: self._client.create_open_id_connect_provider(
                    Url=f"https://{ISSUER}", ClientIDList=[AUDIENCE], Tags=LISTED
                ),
            )
        elif AUDIENCE not in now["ClientIDList"]:
            self._ledger.change(
                f"let it take tokens for {AUDIENCE}",
                lambda: self._client.add_client_id_to_open_id_connect_provider(
                    OpenIDConnectProviderArn=arn, ClientID=AUDIENCE
                ),
            )

    def policy(self, name: str, text: str) -> str:
        """A managed policy of that name that says ``text``; its ARN."""
        arn = self._plan.iam(f"policy/{name}")
        now = found(lambda: self._client.get_policy(PolicyArn=arn), _ABSENT)
        if now is None:
            self._ledger.change(
                f"make the policy {name}",
                lambda: self._client.create_policy(PolicyName=name, PolicyDocument=text, Tags=LISTED),
            )
            return arn
        version = self._client.get_policy_version(PolicyArn=arn, VersionId=now["Policy"]["DefaultVersionId"])
        self._ledger.settle(
            f"the policy {name}",
            current=canonical(version["PolicyVersion"]["Document"]),
            wanted=canonical(text),
            write=lambda: self._renew(arn, text),
        )
        return arn

    def role(
        self,
        name: str,
        *,
        description: str,
        trust: dict[str, Any],
        documents: Sequence[str],
        hours: int = 1,
    ) -> None:
        """A role that ``trust`` says who takes, with these policies and no others; sessions last up to ``hours``."""
        self._ledger.begin(f"role {name}")
        now = found(lambda: self._client.get_role(RoleName=name), _ABSENT)
        if now is None:
            self._ledger.change(
                "make the role",
                lambda: self._client.create_role(
                    RoleName=name,
                    Description=description,
                    AssumeRolePolicyDocument=json.dumps(trust),
                    MaxSessionDuration=hours * _HOUR,
                    Tags=LISTED,
                ),
            )
        else:
            self._mend(name, now["Role"], trust=trust, hours=hours)
        self._attach(name, [self.policy(f"{name}-{n}", text) for n, text in enumerate(documents, start=1)])

    def _mend(self, name: str, role: dict[str, Any], *, trust: dict[str, Any], hours: int) -> None:
        self._ledger.settle(
            "who may take it",
            current=canonical(role["AssumeRolePolicyDocument"]),
            wanted=canonical(trust),
            write=lambda: self._client.update_assume_role_policy(
                RoleName=name, PolicyDocument=json.dumps(trust)
            ),
        )
        self._ledger.settle(
            "how long a session lasts",
            current=role.get("MaxSessionDuration"),
            wanted=hours * _HOUR,
            write=lambda: self._client.update_role(RoleName=name, MaxSessionDuration=hours * _HOUR),
        )

    def _attach(self, name: str, wanted: Sequence[str]) -> None:
        """Exactly these policies: what somebody added by hand goes."""
        attached = [
            policy["PolicyArn"]
            for policy in self._listed("list_attached_role_policies", name, "AttachedPolicies")
        ]
        for arn in wanted:
            if arn not in attached:
                self._ledger.change(
                    f"attach {arn.rpartition('/')[2]}",
                    lambda arn=arn: self._client.attach_role_policy(RoleName=name, PolicyArn=arn),
                )
        for arn in attached:
            if arn not in wanted:
                self._ledger.change(
                    f"detach {arn.rpartition('/')[2]}",
                    lambda arn=arn: self._client.detach_role_policy(RoleName=name, PolicyArn=arn),
                )
        for inline in self._listed("list_role_policies", name, "PolicyNames"):
            self._ledger.change(
                f"remove its own policy {inline}",
                lambda inline=inline: self._client.delete_role_policy(RoleName=name, PolicyName=inline),
            )

    def _listed(self, operation: str, role: str, member: str) -> list[Any]:
        pages = self._client.get_paginator(operation).paginate(RoleName=role)
        return found(lambda: [item for page in pages for item in page[member]], _ABSENT) or []

    def _renew(self, arn: str, text: str) -> object:
        """A new version as the default; the oldest makes room for it."""
        versions = self._client.list_policy_versions(PolicyArn=arn)["Versions"]
        if len(versions) >= _VERSIONS:
            oldest = min(
                (version for version in versions if not version["IsDefaultVersion"]),
                key=lambda version: version["CreateDate"],
            )
            self._client.delete_policy_version(PolicyArn=arn, VersionId=oldest["VersionId"])
        return self._client.create_policy_version(PolicyArn=arn, PolicyDocument=text, SetAsDefault=True)
