"""AWS API calls for the provider: clients per service and region, and what their refusals mean."""

import threading
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.model import OperationModel

from local.provider.aws.types import Call, ResourceType

# The error codes with which the services here say that a thing is not there.
_ABSENT = ("NotFound", "NoSuch", "NonExistent", "ResourceNotFoundException", "DBClusterNotFoundFault")


class CallError(Exception):
    """The API refused a call; the sentence names the operation and the API's own words, ``code`` is its error code."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class AbsentError(CallError):
    """The API says that the resource does not exist."""


class Api:
    """Calls against one endpoint.

    Args:
        endpoint: URL of the AWS emulator; never AWS itself.
        account: the 12-digit account id, which the emulator takes from the access key.
    """

    def __init__(self, endpoint: str, account: str) -> None:
        self._endpoint = endpoint
        self._session = boto3.Session(aws_access_key_id=account, aws_secret_access_key="local")  # noqa: S106 - the emulator checks no signature
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    def client(self, service: str, region: str) -> Any:
        """The boto3 client of ``service`` in ``region``."""
        with self._lock:  # creating a client is not thread-safe, using one is
            key = (service, region)
            if key not in self._clients:
                config = Config(
                    retries={"total_max_attempts": 2}, read_timeout=120, s3={"addressing_style": "path"}
                )
                self._clients[key] = self._session.client(
                    service, region_name=region, endpoint_url=self._endpoint, config=config
                )
            return self._clients[key]

    def operation(self, entry: ResourceType, call: Call, region: str) -> OperationModel:
        """The service model's description of ``call``."""
        client = self.client(entry.service, region)
        return client.meta.service_model.operation_model(client.meta.method_to_api_mapping[call.operation])

    def call(self, service: str, region: str, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """The answer of ``operation``.

        Raises:
            AbsentError: the resource is not there.
            CallError: any other refusal.
        """
        try:
            answer = getattr(self.client(service, region), operation)(**params)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            kind = (
                AbsentError
                if code in ("404", "NoSuchEntity") or any(a in code for a in _ABSENT)
                else CallError
            )
            message = error.response["Error"].get("Message", "")
            raise kind(f"{service} refused {operation}: {code}: {message}", code) from error
        except BotoCoreError as error:
            raise CallError(f"{service} could not be asked for {operation}: {error}") from error
        answer.pop("ResponseMetadata", None)
        return answer
