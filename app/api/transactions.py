"""``/v1/transactions``: several documents change together, or none does."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from app.api import access, body, preconditions, problems, writing
from app.api.lists import answer
from app.api.messages import Request, Response, callers_tenant
from app.api.problems import ProblemError, RefusedOperation
from app.api.transaction import Done, Operation, OperationResult, Transaction, TransactionResult
from app.state.document import Name, Transacted, Write, Written, digest, etag
from app.state.documents import Documents
from app.state.store import KeyReusedError, QuotaExceededError


class TransactionsHandlers:
    """The handler of transactions."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def post(self, request: Request) -> Response:
        """Do all of it, or nothing."""
        text = await body.document(request)
        operations = body.decode(text, Transaction).operations
        for operation in operations:
            verb = "read" if operation.op == "check" else "write"
            access.require(request.principal, operation.collection, verb)
        writes = _writes(callers_tenant(request), operations, request.traceparent)
        try:
            done = await self._documents.transact(writes, writing.once_of(request, text))
        except (KeyReusedError, QuotaExceededError) as error:
            raise writing.refusal(error) from None
        response = answer(TransactionResult(operations=_results(done)))
        if done.replayed:
            response.headers.append(writing.REPLAYED)
        return response


def _writes(tenant: UUID, operations: Sequence[Operation], traceparent: str | None) -> list[Write]:
    seen: dict[Name, int] = {}
    writes: list[Write] = []
    for index, operation in enumerate(operations):
        place = f"operations[{index}]: "
        writing.check_name(operation.collection, operation.key, place)
        name = Name(tenant, operation.collection, operation.key)
        if (first := seen.setdefault(name, index)) != index:
            raise _invalid(f"{place}operations[{first}] is of the same document.")
        writes.append(_write(name, operation, place, traceparent))
    return writes


def _write(name: Name, operation: Operation, place: str, traceparent: str | None) -> Write:
    put = operation.op == "put"
    if put != (operation.value is not msgspec.UNSET):
        raise _invalid(f"{place}a put has a value, and nothing else has.")
    if operation.ttl is not None and not put:
        raise _invalid(f"{place}only a put has a ttl.")
    try:
        condition, etags = preconditions.decide(
            *(
                [] if said is None else [said]
                for said in (operation.if_match, operation.if_none_match, operation.concurrency)
            )
        )
    except ProblemError as error:
        raise ProblemError(error.kind, place + error.detail) from None
    if operation.op == "check" and condition in {"none", "unconditional"}:
        raise _invalid(f"{place}a check has ifMatch or ifNoneMatch.")
    value = None if operation.value is msgspec.UNSET else bytes(operation.value)
    return Write(
        name=name,
        value=None if value is None else value.decode(),
        digest=None if operation.op == "check" else "" if value is None else digest(value),
        ttl=operation.ttl,
        condition=condition,
        etags=etags,
        traceparent=traceparent,
    )


def _results(done: Transacted) -> list[OperationResult]:
    """What became of each operation; raises :class:`ProblemError` if nothing was written."""
    results: list[OperationResult] = []
    refused: list[RefusedOperation] = []
    for index, (written, checksum) in enumerate(zip(done.written, done.digests, strict=True)):
        match written.outcome:
            case "created" | "replaced" | "deleted" | "checked" as outcome:
                results.append(_result(outcome, written, checksum))
            case "unknown_tenant" as outcome:
                raise writing.problem_of(outcome)
            case outcome:
                refused.append(RefusedOperation(index=index, type=writing.problem_of(outcome).kind.uri))
    if refused:
        named = ", ".join(f"{one.index} ({one.type.removeprefix(problems.TYPE_PREFIX)})" for one in refused)
        raise ProblemError(
            problems.TRANSACTION_FAILED,
            f"Nothing was written, because of operations {named}.",
            headers=(writing.REPLAYED,) if done.replayed else (),
            operations=tuple(refused),
        )
    return results


def _result(outcome: Done, written: Written, checksum: str | None) -> OperationResult:
    return OperationResult(
        outcome=outcome,
        revision=msgspec.UNSET if written.revision is None else written.revision,
        etag=etag(written.revision, checksum) if written.revision is not None and checksum else msgspec.UNSET,
        expires_at=msgspec.UNSET if written.expires_ms is None else writing.rfc3339(written.expires_ms),
    )


def _invalid(detail: str) -> ProblemError:
    return ProblemError(problems.INVALID_BODY, detail)
