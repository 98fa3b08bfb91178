"""What AWS itself records of the account, and who hears of what it finds."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from infra.refusal import SettingsError

Declare = Callable[..., Any]
TRAIL = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/vanta-prod-trail"


def statements(resource: Any, key: str = "policy") -> dict[str, dict[str, Any]]:
    return {statement["Sid"]: statement for statement in json.loads(resource.inputs[key])["Statement"]}


# trail


def test_a_trail_records_every_region_and_signs_what_it_delivers(prod: Any) -> None:
    trail = prod.one("cloudtrail/trail:Trail")
    assert trail.inputs["isMultiRegionTrail"]
    assert trail.inputs["includeGlobalServiceEvents"]
    assert trail.inputs["enableLogFileValidation"]
    assert trail.inputs["kmsKeyId"].endswith(":evidence")


def test_each_access_to_the_audit_bucket_and_to_its_copy_is_recorded(prod: Any) -> None:
    management, data = prod.one("cloudtrail/trail:Trail").inputs["advancedEventSelectors"]
    assert management["fieldSelectors"] == [{"field": "eventCategory", "equals": ["Management"]}]
    selected = {each["field"]: each for each in data["fieldSelectors"]}
    assert selected["eventCategory"]["equals"] == ["Data"]
    assert selected["resources.type"]["equals"] == ["AWS::S3::Object"]
    watched = selected["resources.ARN"]["startsWiths"]
    assert len(watched) == 2
    assert all(arn.split(":")[-1].startswith("audit") and arn.endswith("/") for arn in watched)
    # Reads as well as writes: a selector that names `readOnly` would leave one of them out.
    assert "readOnly" not in selected


def test_what_the_trail_delivered_is_locked_as_long_as_the_audit_log(prod: Any) -> None:
    assert prod.one("Bucket", "trail").inputs["objectLockEnabled"]
    assert prod.one("BucketObjectLockConfiguration", "trail").inputs["rule"] == {
        "defaultRetention": {"mode": "COMPLIANCE", "days": 7 * 365}
    }
    (rule,) = prod.one("BucketLifecycleConfiguration", "trail").inputs["rules"]
    assert rule["expiration"] == {"days": 7 * 365}


def test_one_trail_alone_writes_to_its_bucket_and_nobody_deletes_from_it(prod: Any) -> None:
    own = statements(prod.one("BucketPolicy", "trail"))
    assert set(own) == {
        "OnlyOverTls",
        "NothingIsDeleted",
        "NoOtherLock",
        "NoShorterLock",
        "TrailLooks",
        "TrailDelivers",
    }
    for sid, action in (("TrailLooks", "s3:GetBucketAcl"), ("TrailDelivers", "s3:PutObject")):
        assert own[sid]["Principal"] == {"Service": "cloudtrail.amazonaws.com"}
        assert own[sid]["Action"] == action
        assert own[sid]["Condition"]["StringEquals"]["aws:SourceArn"] == TRAIL


def test_a_digest_that_s3_encrypts_itself_is_not_refused(prod: Any) -> None:
    (rule,) = prod.one("BucketServerSideEncryptionConfiguration", "trail").inputs["rules"]
    assert rule["applyServerSideEncryptionByDefault"]["sseAlgorithm"] == "AES256"
    assert "NoOtherEncryption" not in statements(prod.one("BucketPolicy", "trail"))


def test_the_key_of_the_evidence_serves_this_trail_and_readers_through_s3(prod: Any) -> None:
    own = statements(prod.one("Key", "evidence"))
    assert set(own) == {
        "AdministeredThroughIam",
        "UsedByTheTrail",
        "DescribedToTheTrail",
        "UsedThroughServices",
        "GrantsForServices",
    }
    assert own["UsedByTheTrail"]["Action"] == "kms:GenerateDataKey*"
    for sid in ("UsedByTheTrail", "DescribedToTheTrail"):
        assert own[sid]["Principal"] == {"Service": "cloudtrail.amazonaws.com"}
        assert own[sid]["Condition"]["StringEquals"] == {"aws:SourceArn": TRAIL}


def test_the_trail_is_searchable_in_an_encrypted_log_group(prod: Any) -> None:
    group = prod.one("LogGroup", "trail").inputs
    assert group["name"] == "/aws/cloudtrail/vanta-prod-trail"
    assert group["retentionInDays"] == 400
    assert group["kmsKeyId"].endswith(":logs")
    assert prod.one("cloudtrail/trail:Trail").inputs["cloudWatchLogsGroupArn"].endswith(":trail:*")
    (need,) = statements(prod.one("RolePolicy", "trail")).values()
    assert need["Sid"] == "WriteIntoItsStreams"
    assert need["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert need["Resource"].endswith(":trail:log-stream:111122223333_CloudTrail_eu-west-1*")


def test_the_role_of_the_trail_is_assumed_for_this_trail_alone(prod: Any) -> None:
    (trust,) = statements(prod.one("Role", "trail"), "assumeRolePolicy").values()
    assert trust["Principal"] == {"Service": "cloudtrail.amazonaws.com"}
    assert trust["Condition"]["StringEquals"] == {
        "aws:SourceAccount": "111122223333",
        "aws:SourceArn": TRAIL,
    }


def test_a_trail_is_not_made_before_it_can_deliver(prod: Any) -> None:
    assert {"RolePolicy trail", "BucketPolicy trail"} <= prod.one("cloudtrail/trail:Trail").dependencies


# threat detection


def test_threats_are_looked_for_wherever_the_platform_has_something(prod: Any) -> None:
    features = {each.inputs["name"]: each.inputs for each in prod.all("DetectorFeature")}
    assert set(features) == {
        "S3_DATA_EVENTS",
        "EKS_AUDIT_LOGS",
        "RUNTIME_MONITORING",
        "RDS_LOGIN_EVENTS",
        "EBS_MALWARE_PROTECTION",
    }
    assert {each["status"] for each in features.values()} == {"ENABLED"}
    agents = {a["name"]: a["status"] for a in features["RUNTIME_MONITORING"]["additionalConfigurations"]}
    # All three, or AWS's own answer would look like drift.
    assert agents == {
        "EKS_ADDON_MANAGEMENT": "ENABLED",
        "ECS_FARGATE_AGENT_MANAGEMENT": "DISABLED",
        "EC2_AGENT_MANAGEMENT": "DISABLED",
    }
    assert prod.one("Detector").inputs["enable"]


def test_people_hear_of_threats_of_medium_severity_and_above(prod: Any) -> None:
    rule = prod.one("EventRule", "threat-detection").inputs
    assert json.loads(rule["eventPattern"]) == {
        "source": ["aws.guardduty"],
        "detail-type": ["GuardDuty Finding"],
        "detail": {"severity": [{"numeric": [">=", 4]}]},
    }
    target = prod.one("EventTarget", "threat-detection").inputs
    assert target["rule"] == rule["name"]
    assert target["arn"].endswith(":notifications")
    # With a role EventBridge may fail to deliver to an encrypted topic.
    assert "roleArn" not in target


# recorder


def test_every_configuration_is_recorded_and_delivered_encrypted(prod: Any) -> None:
    recorder, channel = prod.one("cfg/recorder:Recorder"), prod.one("DeliveryChannel")
    assert recorder.inputs["recordingGroup"] == {"allSupported": True, "includeGlobalResourceTypes": True}
    assert channel.inputs["s3KmsKeyArn"].endswith(":evidence")
    assert prod.one("RecorderStatus").inputs["isEnabled"]
    assert "Recorder recorder" in channel.dependencies
    assert "DeliveryChannel recorder" in prod.one("RecorderStatus").dependencies


def test_the_bucket_of_the_recorder_has_no_lock_for_aws_config_would_not_deliver(prod: Any) -> None:
    assert not prod.one("Bucket", "recorder").inputs["objectLockEnabled"]
    assert "recorder" not in {each.name for each in prod.all("BucketObjectLockConfiguration")}


def test_the_recorder_writes_below_its_account_with_the_key_of_the_evidence(prod: Any) -> None:
    needs = statements(prod.one("RolePolicy", "recorder"))
    assert {sid: need["Action"] for sid, need in needs.items()} == {
        "LookAtTheBucket": ["s3:GetBucketAcl", "s3:ListBucket"],
        "DeliverConfigurations": "s3:PutObject",
        "EncryptConfigurations": ["kms:Decrypt", "kms:GenerateDataKey"],
    }
    assert needs["DeliverConfigurations"]["Resource"].endswith(":recorder/AWSLogs/111122223333/*")
    assert needs["EncryptConfigurations"]["Resource"].endswith(":evidence")
    (trust,) = statements(prod.one("Role", "recorder"), "assumeRolePolicy").values()
    assert trust["Principal"] == {"Service": "config.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": "111122223333"}}


def test_a_rule_for_each_promise_judges_resources_of_this_stack_alone(prod: Any) -> None:
    rules = [each.inputs for each in prod.all("cfg/rule:Rule")]
    assert {rule["source"]["sourceIdentifier"] for rule in rules} >= {
        "S3_BUCKET_VERSIONING_ENABLED",
        "S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED",
        "RDS_STORAGE_ENCRYPTED",
        "RDS_CLUSTER_DELETION_PROTECTION_ENABLED",
    }
    assert all(rule["scope"] == {"tagKey": "stack", "tagValue": "prod"} for rule in rules)
    notice = json.loads(prod.one("EventRule", "recorder").inputs["eventPattern"])
    (prefix,) = notice["detail"]["configRuleName"]
    assert all(rule["name"].startswith(prefix["prefix"]) for rule in rules)


def test_a_stack_that_may_go_is_not_blamed_for_having_no_deletion_protection(declare: Declare) -> None:
    rules = declare("dev", {"evidence": {"account": True}}).all("cfg/rule:Rule")
    assert rules
    assert "RDS_CLUSTER_DELETION_PROTECTION_ENABLED" not in {
        rule.inputs["source"]["sourceIdentifier"] for rule in rules
    }


# both


def test_what_an_account_has_once_is_made_only_by_its_owner(dev: Any) -> None:
    assert not [*dev.all("Detector"), *dev.all("cfg/recorder:Recorder"), *dev.all("cloudtrail/trail:Trail")]


def test_rules_of_this_stack_and_budgets_of_this_account_publish_to_the_topic(prod: Any) -> None:
    own = statements(prod.one("TopicPolicy", "notifications"))
    assert own["PublishedByRules"]["Principal"] == {"Service": "events.amazonaws.com"}
    assert own["PublishedByRules"]["Condition"] == {
        "ArnLike": {"aws:SourceArn": "arn:*:events:eu-west-1:111122223333:rule/vanta-prod-*"}
    }
    assert own["PublishedByBudgets"]["Principal"] == {"Service": "budgets.amazonaws.com"}
    assert own["PublishedByBudgets"]["Condition"] == {"StringEquals": {"aws:SourceAccount": "111122223333"}}


def test_rules_use_the_key_of_the_topic_without_a_source_which_sns_does_not_support(prod: Any) -> None:
    rule = statements(prod.one("Key", "notifications"))["UsedByRules"]
    assert rule["Principal"] == {"Service": "events.amazonaws.com"}
    assert rule["Condition"] == {
        "ArnLike": {"kms:EncryptionContext:aws:sns:topicArn": "arn:aws:sns:eu-west-1:111122223333:*"}
    }


def test_a_retention_that_cloudwatch_logs_does_not_offer_is_refused(declare: Declare, recorded: Any) -> None:
    with pytest.raises(SettingsError) as refused:
        declare("dev", {"evidence": {"logDays": 8}}, into=recorded)
    assert str(refused.value) == (
        "vanta:evidence.logDays is 8 which CloudWatch Logs does not offer as a retention. Use 14."
    )
    assert not recorded.resources
