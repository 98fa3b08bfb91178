"""The app's own policy, evaluated: an IAM lets through what the policy allows, on a bucket that exists, and refuses the rest."""

import json
from collections.abc import Generator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.core import disable_iam_authentication, enable_iam_authentication

# How the ARN of a bucket begins with the recording engine, and with AWS.
RECORDED, BUCKET = "arn:aws:s3:eu-west-1:111122223333:", "arn:aws:s3:::"


@pytest.fixture(scope="module")
def app(prod: Any) -> Generator[Any]:
    """S3 with the rights of the app's role; the bucket ``audit`` has one object, ``entry``."""
    with mock_aws(), disable_iam_authentication():
        s3, iam = (boto3.client(service, region_name="us-east-1") for service in ("s3", "iam"))
        s3.create_bucket(Bucket="audit", ObjectLockEnabledForBucket=True)
        s3.put_object(Bucket="audit", Key="entry", Body=b"before")
        iam.create_user(UserName="app")
        policy = prod.one("RolePolicy", "app").inputs["policy"].replace(RECORDED, BUCKET)
        assert f"{BUCKET}audit/" in policy
        iam.put_user_policy(UserName="app", PolicyName="app", PolicyDocument=json.dumps(json.loads(policy)))
        key = iam.create_access_key(UserName="app")["AccessKey"]
        session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name="us-east-1")
        with enable_iam_authentication():
            yield session.client("s3")


def test_the_app_adds_to_the_audit_log_and_reads_it(app: Any) -> None:
    app.put_object(Bucket="audit", Key="added", Body=b"entry")
    assert app.get_object(Bucket="audit", Key="added")["Body"].read() == b"entry"
    assert {found["Key"] for found in app.list_objects_v2(Bucket="audit")["Contents"]} == {"added", "entry"}


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ("delete_object", {"Key": "entry"}),
        ("put_bucket_versioning", {"VersioningConfiguration": {"Status": "Suspended"}}),
        ("put_bucket_lifecycle_configuration", {"LifecycleConfiguration": {"Rules": []}}),
        ("put_bucket_policy", {"Policy": "{}"}),
        ("delete_bucket_policy", {}),
        ("delete_bucket", {}),
    ],
)
def test_the_app_takes_nothing_from_the_audit_log(app: Any, call: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(app, call)(Bucket="audit", **arguments)
    assert refused.value.response["Error"]["Code"] == "AccessDenied"
    assert app.get_object(Bucket="audit", Key="entry")["Body"].read() == b"before"


def test_the_app_takes_nothing_when_it_deletes_many_at_once(app: Any) -> None:
    """S3 answers each object of such a request by itself."""
    answer = app.delete_objects(Bucket="audit", Delete={"Objects": [{"Key": "entry"}]})
    assert [refused["Code"] for refused in answer["Errors"]] == ["AccessDenied"]
    assert app.get_object(Bucket="audit", Key="entry")["Body"].read() == b"before"
