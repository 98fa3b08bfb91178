"""What the roles of the cluster may do: each what it needs, taken by one service account, and the app deletes nothing."""

import fnmatch
import json
from typing import Any

import pytest

ACCOUNT = "111122223333"
AUDIT = f"arn:aws:s3:eu-west-1:{ACCOUNT}:audit"


def statements(document: str) -> dict[str, dict[str, Any]]:
    return {statement["Sid"]: statement for statement in json.loads(document)["Statement"]}


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def allowed(stack: Any, role: str, action: str, resource: str) -> bool:
    """Whether the role's own policy allows an action, with every condition met; nothing else is attached to it."""
    assert not [r for r in stack.all("RolePolicyAttachment") if r.inputs["role"] == f"vanta-{role}"]
    return any(
        fnmatch.fnmatchcase(action, wanted) and fnmatch.fnmatchcase(resource, where)
        for statement in statements(stack.one("RolePolicy", role).inputs["policy"]).values()
        for wanted in listed(statement["Action"])
        for where in listed(statement["Resource"])
    )


def trusted(stack: Any) -> dict[str, dict[str, Any]]:
    """By role of the cluster, the app and the registry, the one statement that says who takes it."""
    rooms = (
        *("Addons", "AppRoles", "Cluster", "ControlPlane", "NodeGroups"),
        *("OperatorRoles", "Registry", "TimescaleBackup"),
    )
    roles = [r for r in stack.all("Role") if any(f"vanta:aws:{room}$" in r.parent for room in rooms)]
    found = {}
    for role in roles:
        (found[role.name],) = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
    return found


def test_the_roles_of_the_cluster_are_these(prod: Any) -> None:
    assert set(trusted(prod)) >= {
        "app", "aws-ebs-csi-driver", "aws-load-balancer-controller", "cluster", "cluster-autoscaler", "external-secrets",
        "migration", "nodes", "registry", "timescale", "vpc-cni",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("role", "namespace", "account"),
    [
        ("app", "vanta", "state-api"),
        ("migration", "vanta", "state-api-migration"),
        ("cluster-autoscaler", "kube-system", "cluster-autoscaler"),
        ("external-secrets", "external-secrets", "external-secrets"),
        ("aws-load-balancer-controller", "kube-system", "aws-load-balancer-controller"),
        ("timescale", "vanta-timescale", "timescale"),
        ("vpc-cni", "kube-system", "aws-node"),
        ("aws-ebs-csi-driver", "kube-system", "ebs-csi-controller-sa"),
    ],
)
def test_a_pod_takes_the_role_of_its_own_service_account_alone(
    prod: Any, role: str, namespace: str, account: str
) -> None:
    statement = trusted(prod)[role]
    assert statement["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    assert statement["Condition"]["StringEquals"] == {
        "aws:SourceAccount": ACCOUNT,
        "aws:RequestTag/eks-cluster-name": "vanta-prod-cluster",
        "aws:RequestTag/kubernetes-namespace": namespace,
        "aws:RequestTag/kubernetes-service-account": account,
    }
    if role not in ("vpc-cni", "aws-ebs-csi-driver"):
        association = prod.one("PodIdentityAssociation", role).inputs
        assert (association["namespace"], association["serviceAccount"]) == (namespace, account)
    else:
        (association,) = prod.one("Addon", role).inputs["podIdentityAssociations"]
        assert association["serviceAccount"] == account
    assert association["roleArn"].endswith(f":role/vanta-prod-{role}")


def test_the_control_plane_acts_for_its_own_cluster_alone(prod: Any) -> None:
    assert trusted(prod)["cluster"]["Condition"] == {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": f"arn:aws:eks:eu-west-1:{ACCOUNT}:cluster/vanta-prod-cluster"},
    }


@pytest.mark.parametrize("action", ["s3:PutObject", "s3:GetObject"])
def test_the_app_can_write_the_audit_bucket_and_read_it(prod: Any, action: str) -> None:
    assert allowed(prod, "app", action, f"{AUDIT}/tile/0/000")


@pytest.mark.parametrize(
    "action",
    [
        "s3:DeleteObject",
        "s3:DeleteObjectVersion",
        "s3:BypassGovernanceRetention",
        "s3:PutObjectRetention",
        "s3:PutObjectLegalHold",
        "s3:PutLifecycleConfiguration",
        "s3:PutBucketPolicy",
        "s3:DeleteBucket",
    ],
)
def test_the_app_cannot_delete_from_the_audit_bucket(prod: Any, action: str) -> None:
    assert not allowed(prod, "app", action, AUDIT)
    assert not allowed(prod, "app", action, f"{AUDIT}/tile/0/000")


def test_the_app_cannot_delete_anything_anywhere(prod: Any) -> None:
    for statement in statements(prod.one("RolePolicy", "app").inputs["policy"]).values():
        assert not [action for action in listed(statement["Action"]) if "Delete" in action or "*" in action]
        assert "*" not in listed(statement["Resource"])


# role, statement, what it is needed for
NEEDS = [
    ("app", "ReadItsSecrets", "it logs in to database and cache"),
    ("app", "DecryptItsSecrets", "they are encrypted with the key of secrets"),
    ("app", "OpenEnvelopesOfATenant", "tenants' secrets are sealed with data keys of their own"),
    ("app", "ListTheArchive", "exports are found by prefix, broken uploads by listing them"),
    ("app", "ReadAndWriteTheArchive", "analytics writes history and reads it back"),
    ("app", "EncryptTheArchive", "the archive is encrypted with its own key"),
    ("app", "ListTheAuditLog", "a missing tile is told from a forbidden one by the right to list"),
    ("app", "ReadAndAppendTheAuditLog", "it seals tiles and checkpoints and proves them"),
    ("app", "EncryptTheAuditLog", "the audit bucket is encrypted with its own key"),
    ("migration", "ReadItsSecrets", "it logs in as master and makes the role of the app"),
    ("migration", "DecryptItsSecrets", "they are encrypted with the key of secrets"),
    ("nodes", "FillTheImageCache", "the first pull of a cached image makes its repository"),
    ("cluster-autoscaler", "LookAtNodes", "it simulates where waiting pods would fit"),
    ("cluster-autoscaler", "LookAtNodeGroups", "a group without nodes has its labels and taints there"),
    ("cluster-autoscaler", "ScaleItsOwnNodes", "it adds and removes nodes"),
    ("aws-ebs-csi-driver", "EncryptVolumes", "volumes of pods are encrypted with the key of the cluster"),
    ("aws-ebs-csi-driver", "KeepVolumesOpen", "EC2 keeps a volume open with a grant"),
    ("external-secrets", "ReadTheSecretsOfTheApp", "it copies them into Kubernetes"),
    ("external-secrets", "DecryptTheSecretsOfTheApp", "they are encrypted with the key of secrets"),
    ("alertmanager", "TellOfAlerts", "alerts reach people through the topic of the stack"),
    ("alertmanager", "EncryptForTheTopic", "the topic is encrypted with the key of notifications"),
    ("aws-load-balancer-controller", "FindPodsAndTargets", "it compares pods with registered targets"),
    ("aws-load-balancer-controller", "RegisterPodsOfTheApp", "pods come and go behind the load balancer"),
    ("timescale", "ListBackups", "a restore looks for the newest base backup"),
    ("timescale", "WriteReadAndForgetBackups", "the log is archived, restored, and removed when it is too old"),
    ("timescale", "EncryptBackups", "the bucket is encrypted with the key of the archive"),
    ("registry", "MakeItsRepositories", "ECR makes repositories for cached and copied images"),
    ("registry", "FindTheKey", "ECR looks the key up before it uses it"),
    ("registry", "LetTheRegistryUseTheKey", "ECR encrypts a repository with a grant"),
]  # fmt: skip


def test_each_statement_of_a_role_has_a_need_and_each_need_a_statement(prod: Any) -> None:
    roles = {role for role, _, _ in NEEDS}
    assert roles == {name for name in trusted(prod) if name not in ("cluster", "vpc-cni")}
    found = {
        (role, sid) for role in roles for sid in statements(prod.one("RolePolicy", role).inputs["policy"])
    }
    assert found == {(role, sid) for role, sid, _ in NEEDS}


def test_the_master_of_the_database_is_for_the_migration_alone(prod: Any) -> None:
    def secrets(role: str) -> set[str]:
        return set(statements(prod.one("RolePolicy", role).inputs["policy"])["ReadItsSecrets"]["Resource"])

    names = prod.outputs["appSecrets"]
    assert secrets("app") == {names["database-app"], names["cache"]}
    assert secrets("migration") == {names["database-app"], names["database-master"]}


def test_an_envelope_is_opened_for_a_tenant_and_other_keys_through_their_service(prod: Any) -> None:
    app = statements(prod.one("RolePolicy", "app").inputs["policy"])
    assert app["OpenEnvelopesOfATenant"]["Condition"] == {"Null": {"kms:EncryptionContext:tenant": "false"}}
    assert app["OpenEnvelopesOfATenant"]["Resource"] == prod.outputs["appEnvironment"]["VANTA_KMS_KEY_ARN"]
    assert app["OpenEnvelopesOfATenant"]["Action"] == ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"]
    through = {
        sid: statement["Condition"]["StringEquals"]["kms:ViaService"]
        for sid, statement in app.items()
        if sid.startswith(("Encrypt", "Decrypt"))
    }
    assert through == {
        "DecryptItsSecrets": "secretsmanager.eu-west-1.amazonaws.com",
        "EncryptTheArchive": "s3.eu-west-1.amazonaws.com",
        "EncryptTheAuditLog": "s3.eu-west-1.amazonaws.com",
    }


def test_the_autoscaler_changes_the_groups_of_its_own_cluster_alone(prod: Any) -> None:
    policy = statements(prod.one("RolePolicy", "cluster-autoscaler").inputs["policy"])
    tag = "aws:ResourceTag/k8s.io/cluster-autoscaler"
    assert policy["ScaleItsOwnNodes"]["Condition"]["StringEquals"] == {
        f"{tag}/enabled": "true",
        f"{tag}/vanta-prod-cluster": "owned",
    }


def test_the_balancers_controller_registers_in_the_stacks_own_group_and_makes_nothing(prod: Any) -> None:
    policy = statements(prod.one("RolePolicy", "aws-load-balancer-controller").inputs["policy"])
    assert policy["RegisterPodsOfTheApp"]["Resource"] == prod.outputs["edge"]["targetGroupArn"]
    changing = [a for s in policy.values() for a in listed(s["Action"]) if ":Describe" not in a]
    assert changing == ["elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:RegisterTargets"]


def test_external_secrets_reads_the_apps_secrets_and_no_other(prod: Any) -> None:
    policy = statements(prod.one("RolePolicy", "external-secrets").inputs["policy"])
    assert set(policy["ReadTheSecretsOfTheApp"]["Resource"]) == set(prod.outputs["appSecrets"].values())


def test_timescale_writes_its_own_bucket_alone(prod: Any) -> None:
    assert allowed(prod, "timescale", "s3:PutObject", "arn:aws:s3:eu-west-1:111122223333:timescale/wal/1")
    for bucket in ("audit", "archive"):
        assert not allowed(prod, "timescale", "s3:PutObject", f"arn:aws:s3:eu-west-1:{ACCOUNT}:{bucket}/x")
