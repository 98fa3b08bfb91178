"""Who keeps the master password of a cluster: its user, or RDS, in a secret that it makes."""

import json
import secrets
import uuid

from local.aws.internals import Params, Record, create_secret, get_account_id, get_region, one
from local.aws.query import RefusedError


def check_management(params: Params, managed: Record | None) -> None:
    """Refuse a password that nobody would know."""
    if (
        one(params, "ManageMasterUserPassword") == "false"
        and managed
        and not one(params, "MasterUserPassword")
    ):
        raise RefusedError(
            "InvalidParameterCombination",
            "ManageMasterUserPassword is false, so MasterUserPassword has to be given: nobody would know it.",
        )


def manage(cluster: Record, params: Params) -> None:
    """Take over the password of ``cluster`` if that is asked for: make a new one and the secret that has it.

    Source: Amazon Aurora User Guide, "Password management with Amazon Aurora and AWS Secrets Manager".
    """
    if one(params, "ManageMasterUserPassword") != "true" or cluster["MasterUserSecret"]:
        return
    cluster["_MasterUserPassword"] = secrets.token_urlsafe(24)
    document = {"username": cluster["MasterUsername"], "password": cluster["_MasterUserPassword"]}
    description = f"Secret managed by RDS for DB cluster {cluster['DBClusterIdentifier']}"
    cluster["MasterUserSecret"] = {
        "SecretArn": create_secret(
            f"rds!cluster-{uuid.uuid4()}", json.dumps(document), description=description
        ),
        "SecretStatus": "active",
        "KmsKeyId": one(params, "MasterUserSecretKmsKeyId")
        or f"arn:aws:kms:{get_region()}:{get_account_id()}:key/aws-secretsmanager-default",
    }
