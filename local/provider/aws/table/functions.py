"""Lambda functions, and who may call them."""

import io
import zipfile
from typing import Any

from local.provider.aws.types import Call, Params, ResourceType, Tagging
from local.provider.values import Properties

# A fixed date, so that the same files are the same archive.
_DATE = (1980, 1, 1, 0, 0, 0)


def zipped(code: dict[str, Any]) -> bytes:
    """The archive of an ``AssetArchive`` of texts, which is the only kind that the program makes."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, asset in sorted(code["assets"].items()):
            archive.writestr(zipfile.ZipInfo(name, _DATE), asset["text"])
    return content.getvalue()


def _made(state: Properties) -> Params:
    return {
        **_configured(state),
        "Architectures": state["architectures"],
        "Code": {"ZipFile": zipped(state["code"])},
    }


def _configured(state: Properties) -> Params:
    logging = state["loggingConfig"]
    return {
        "FunctionName": state["name"],
        "Description": state["description"],
        "Role": state["role"],
        "Runtime": state["runtime"],
        "Handler": state["handler"],
        "Timeout": state["timeout"],
        "MemorySize": state["memorySize"],
        "Environment": {"Variables": state["environment"]["variables"]},
        "LoggingConfig": {"LogFormat": logging["logFormat"], "LogGroup": logging["logGroup"]},
    }


_CONFIGURATION = frozenset(
    {
        "name",
        "description",
        "role",
        "runtime",
        "handler",
        "timeout",
        "memorySize",
        "environment",
        "loggingConfig",
    }
)

TYPES = (
    ResourceType(
        token="aws:lambda/function:Function",
        service="lambda",
        create=Call(
            operation="create_function", takes=_CONFIGURATION | {"architectures", "code"}, build=_made
        ),
        updates=(
            Call(
                operation="update_function_configuration",
                takes=_CONFIGURATION - {"name"},
                build=_configured,
            ),
            Call(
                operation="update_function_code",
                takes=frozenset({"code"}),
                build=lambda s: {"FunctionName": s["name"], "ZipFile": zipped(s["code"])},
            ),
        ),
        read=Call(operation="get_function"),
        answer="Configuration",
        delete=(Call(operation="delete_function", takes=frozenset()),),
        identity={"FunctionName": "name"},
        id="input.name",
        names={"arn": "FunctionArn"},
        tagging=Tagging(add="tag_resource", remove="untag_resource", target="Resource"),
    ),
    ResourceType(
        token="aws:lambda/permission:Permission",
        service="lambda",
        create=Call(operation="add_permission"),
        read=Call(operation="get_policy", takes=frozenset()),
        delete=(Call(operation="remove_permission", takes=frozenset()),),
        identity={"FunctionName": "function", "StatementId": "statementId"},
        id="input.statementId",
        names={"function": "FunctionName"},
    ),
)
