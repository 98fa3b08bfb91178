"""A policy as AWS reads it."""

from typing import Any

Statement = dict[str, Any]


def document(*statements: Statement) -> dict[str, Any]:
    """The document of a policy with these statements; AWS takes it as JSON.

    Source: AWS IAM User Guide, "IAM JSON policy elements: Version".
    """
    return {"Version": "2012-10-17", "Statement": list(statements)}
