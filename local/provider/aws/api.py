"""AWS API calls for the provider: clients per service and region, and what their refusals mean."""

import functools
import threading
from collections.abc import Mapping
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.model import OperationModel, ServiceModel

# The error codes with which the services here say that a thing is not there.
_ABSENT = ("NotFound", "NoSuch", "NonExistent", "ResourceNotFoundException", "DBClusterNotFoundFault")
# Those with which they say that they do not know the operation; `UnknownOperation` has several endings.
_UNKNOWN = ("InvalidAction", "UnknownOperation")
# One session for all: reading a service model from disk takes longer than anything else here, EC2's a tenth of a second.
_SESSION = botocore.session.get_session()
_CREATING = threading.Lock()  # a session is not thread-safe, its clients are


class CallError(Exception):
    """The API refused a call; the sentence names the operation and the API's own words, ``code`` is its error code."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class AbsentError(CallError):
    """The API says that the resource does not exist."""


@functools.cache
def operation_model(service: str, operation: str) -> OperationModel:
    """The service model's description of ``operation``, spelled as boto3 does.

    Raises:
        KeyError: the service has no such operation.
    """
    model, names = _service(service)
    return model.operation_model(names[operation])


@functools.cache
def _service(service: str) -> tuple[ServiceModel, dict[str, str]]:
    """The model of ``service``, and its operations by their boto3 names."""
    with _CREATING:
        model = _SESSION.get_service_model(service)
    return model, {xform_name(name): name for name in model.operation_names}


class Api:
    """Calls against one endpoint.

    Args:
        endpoint: URL of the AWS emulator; never AWS itself.
        account: the 12-digit account id, which the emulator takes from the access key.
    """

    def __init__(self, endpoint: str, account: str) -> None:
        self.account = account
        self._endpoint = endpoint
        self._clients: dict[tuple[str, str, bool], Any] = {}

    def client(self, service: str, region: str, *, sending: bool = True) -> Any:
        """The client of ``service`` in ``region``; one that is not ``sending`` answers ``{}`` where it would send a request."""
        with _CREATING:
            key = (service, region, sending)
            if key not in self._clients:
                config = Config(
                    retries={"total_max_attempts": 2}, read_timeout=120, s3={"addressing_style": "path"}
                )
                client = _SESSION.create_client(
                    service,
                    region_name=region,
                    endpoint_url=self._endpoint,
                    config=config,
                    aws_access_key_id=self.account,
                    aws_secret_access_key="local",  # noqa: S106 - the emulator checks no signature
                )
                if not sending:
                    client.meta.events.register("before-call", _answered_unsent)
                self._clients[key] = client
            return self._clients[key]

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
            if code.startswith(_UNKNOWN):
                raise CallError(
                    f"{service} {operation} is not carried out on one machine: use an AWS account for it.",
                    code,
                ) from error
            message = error.response["Error"].get("Message", "")
            raise kind(f"{service} refused {operation}: {code}: {message}", code) from error
        except BotoCoreError as error:
            raise CallError(f"{service} could not be asked for {operation}: {error}") from error
        answer.pop("ResponseMetadata", None)
        return answer

    def judge(self, service: str, region: str, operation: str, params: Mapping[str, Any]) -> None:
        """Do everything that botocore does before it sends ``operation``, and send nothing.

        Raises:
            CallError: a required parameter is missing, or one is unknown or of the wrong type.
        """
        try:
            getattr(self.client(service, region, sending=False), operation)(**params)
        except BotoCoreError as error:
            raise CallError(f"{service} cannot be asked for {operation}: {error}") from error


def _answered_unsent(**_: Any) -> tuple[AWSResponse, dict[str, Any]]:
    """An answer instead of a request: what botocore's own ``Stubber`` does."""
    return AWSResponse("", 200, {}, None), {}
