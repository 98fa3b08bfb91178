"""What a resource is called once it is made."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import jmespath

from local.provider.aws.api import CallError
from local.provider.aws.types import ResourceType
from local.provider.values import Properties


def identifier(
    entry: ResourceType, inputs: Properties, answer: Mapping[str, Any], *, region: str, account: str
) -> str:
    """The id that the entry finds in ``inputs``, in the ``answer`` of the creation, or in what follows from the inputs alone.

    Raises:
        CallError: it finds none.
    """
    whole = json.dumps([entry.token, region, account, inputs], sort_keys=True)
    digest = hashlib.sha256(whole.encode()).hexdigest()[:32]
    known = {"input": inputs, "answer": answer, "region": region, "account": account, "digest": digest}
    found = jmespath.search(entry.id, known)
    if found is None:
        raise CallError(f"{entry.token} has no id: the answer of {entry.create.operation} has no {entry.id}.")
    return str(found)
