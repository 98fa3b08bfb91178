"""The part of the External Secrets Operator, played for a cluster on this machine: secrets go from the emulator to Kubernetes.

The operator's own program cannot be built from the module proxy (docs/adr/0025-local-cluster.md). This copies what the
``data`` of each ``ExternalSecret`` names, again and again, and says so in its status; stores, templates, generators and
push secrets are not looked at.
"""

import argparse
import base64
import json
import logging
import time
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError
from kubernetes import client, config

from local.aws.emulator import ACCOUNT

NAME = "external-secrets"
_GROUP, _VERSION, _PLURAL = "external-secrets.io", "v1", "externalsecrets"
_APPLY = "application/apply-patch+yaml"

log = logging.getLogger(__name__)


class Copier:
    """Copies secrets into the cluster of ``kubeconfig`` from the Secrets Manager at ``endpoint``."""

    def __init__(self, kubeconfig: Path, endpoint: str, region: str) -> None:
        api = config.new_client_from_config(str(kubeconfig))
        self._core, self._custom = client.CoreV1Api(api), client.CustomObjectsApi(api)
        self._secrets = boto3.client(
            "secretsmanager",
            region_name=region,
            endpoint_url=endpoint,
            aws_access_key_id=ACCOUNT,
            aws_secret_access_key="local",  # noqa: S106 - the emulator checks no signature
        )

    def copy(self) -> int:
        """Write the Secret of every ``ExternalSecret`` that differs from it; return how many were written."""
        found: Any = self._custom.list_cluster_custom_object(_GROUP, _VERSION, _PLURAL)
        return sum(self._copy(wanted) for wanted in found["items"])

    def _copy(self, wanted: dict[str, Any]) -> bool:
        metadata, spec = wanted["metadata"], wanted["spec"]
        name = spec.get("target", {}).get("name", metadata["name"])
        try:
            data = {entry["secretKey"]: self._value(entry["remoteRef"]) for entry in spec.get("data", [])}
        except ClientError as error:
            self._report(wanted, "False", error.response["Error"]["Code"])
            return False
        if self._present(metadata["namespace"], name) == data:
            return False
        owner = {key: wanted[key] for key in ("apiVersion", "kind")} | {
            key: metadata[key] for key in ("name", "uid")
        }
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "ownerReferences": [{**owner, "controller": True}]},
            "data": data,
        }
        self._core.patch_namespaced_secret(
            name, metadata["namespace"], secret, field_manager=NAME, force=True, _content_type=_APPLY
        )
        self._report(wanted, "True", "SecretSynced")
        log.info("wrote secret %s of namespace %s", name, metadata["namespace"])
        return True

    def _present(self, namespace: str, name: str) -> dict[str, Any] | None:
        try:
            return self._core.read_namespaced_secret(name, namespace).data
        except client.ApiException as error:
            if error.status == 404:
                return None
            raise

    def _value(self, reference: dict[str, str]) -> str:
        text = self._secrets.get_secret_value(SecretId=reference["key"])["SecretString"]
        value = json.loads(text)[reference["property"]] if "property" in reference else text
        return base64.b64encode(str(value).encode()).decode()

    def _report(self, wanted: dict[str, Any], status: str, reason: str) -> None:
        condition = {"type": "Ready", "status": status, "reason": reason, "message": reason}
        known = wanted.get("status", {}).get("conditions", [{}])[0]
        if all(known.get(key) == value for key, value in condition.items()):
            return
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self._custom.patch_namespaced_custom_object_status(
            _GROUP,
            _VERSION,
            wanted["metadata"]["namespace"],
            _PLURAL,
            wanted["metadata"]["name"],
            {"status": {"conditions": [{**condition, "lastTransitionTime": now}]}},
        )


def main() -> None:
    """Copy once a second until stopped."""
    parser = argparse.ArgumentParser(prog="python -m local.cluster.external_secrets")
    parser.add_argument("--kubeconfig", required=True, type=Path)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--region", required=True)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    copier = Copier(options.kubeconfig, options.endpoint, options.region)
    while True:
        try:
            copier.copy()
        except Exception:
            # The cluster or the emulator is away for a moment, or an object is odd: the next round tries again.
            log.exception("a round failed")
        time.sleep(1)


if __name__ == "__main__":
    main()
