"""Transactions: ``/v1/transactions``."""

from app.api import problems
from app.api.routes import headers
from app.api.routes.always import ALWAYS
from app.api.routes.route import Answer, Route
from app.api.transaction import Transaction, TransactionResult

ROUTES = (
    Route(
        method="POST",
        path="/v1/transactions",
        handler="transactions.post",
        summary="Change several documents together",
        description=(
            "Up to 128 operations on different documents: all are done, with one revision each in their order, or none. "
            "The rules for each are those of PUT and DELETE; a check only demands what its condition says."
        ),
        answers={
            200: Answer(description="All done.", body=TransactionResult, headers=(headers.REPLAYED,)),
        },
        problems=(
            problems.INVALID_COLLECTION,
            problems.INVALID_KEY,
            problems.INVALID_PRECONDITION,
            problems.INVALID_IDEMPOTENCY_KEY,
            problems.MALFORMED_JSON,
            problems.QUOTA_EXCEEDED,
            problems.BODY_TIMEOUT,
            problems.TRANSACTION_FAILED,
            problems.BODY_TOO_LARGE,
            problems.UNSUPPORTED_MEDIA_TYPE,
            problems.INVALID_DOCUMENT,
            problems.INVALID_BODY,
            problems.IDEMPOTENCY_KEY_REUSED,
            *ALWAYS,
        ),
        headers=(headers.ONCE,),
        body=Transaction,
        verb="write",
        scope="handler",
    ),
)
