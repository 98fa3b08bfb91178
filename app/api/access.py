"""Whether a caller may use a route, and so soon, and is understood: asked for every request, in this one place."""

from math import ceil

from app.api import problems
from app.api.messages import Headers
from app.api.problems import ProblemError
from app.api.routes.route import Route
from app.tenancy.principal import VERBS, Principal, Verb
from app.tenancy.rates import Rates


def check_rate(principal: Principal, rates: Rates, now: float) -> None:
    """Raise :class:`ProblemError` if the tenant has sent too much until ``now``, of ``time.perf_counter``.

    Headers as of draft-ietf-httpapi-ratelimit-headers-10: the policy's quota is what may come at once, its window how long
    that takes to come back.
    """
    rate = principal.rate
    if rate is None or principal.tenant is None:
        return
    wait = rates.take(principal.tenant, rate, now)
    if wait:
        seconds = ceil(wait)
        raise ProblemError(
            problems.RATE_LIMITED,
            f"The tenant may send {rate.per_second} requests a second and {rate.burst} at once.",
            (
                ("retry-after", str(seconds)),
                ("ratelimit-policy", f'"tenant";q={rate.burst};w={ceil(rate.burst / rate.per_second)}'),
                ("ratelimit", f'"tenant";r=0;t={seconds}'),
            ),
        )


def check(principal: Principal, route: Route, parameters: tuple[str, ...]) -> None:
    """Raise :class:`ProblemError` unless ``principal`` may do what ``route`` is for, with these parameters of its path."""
    verb = route.verb
    if verb is None:
        return
    if principal.suspended:
        raise ProblemError(problems.SUSPENDED, "Ask whoever operates this platform to resume your tenant.")
    if verb not in VERBS[principal.role]:
        raise ProblemError(
            problems.FORBIDDEN, f"This needs the right to {verb}, which the role {principal.role} has not."
        )
    # Most keys have no scopes, and then nothing more is asked.
    if principal.scopes and route.scope != "handler":
        collection = parameters[route.collection_at] if route.collection_at is not None else route.scope
        if collection is None:
            raise ProblemError(problems.FORBIDDEN, "This needs a key without scopes.")
        require(principal, collection, verb)


def check_headers(headers: Headers, route: Route) -> None:
    """Raise :class:`ProblemError` for a header of a write that ``route`` does not read.

    Who sends one counts on it: a delete would else happen whatever its If-Match says.
    """
    for name in route.unread:
        if name in headers:
            read = ", ".join(header.name for header in route.headers) or "no such header"
            raise ProblemError(
                problems.UNREAD_HEADER, f"{name} means nothing here: leave it out. Read here: {read}."
            )


def require(principal: Principal, collection: str, verb: Verb) -> None:
    """Raise :class:`ProblemError` unless ``principal`` may do ``verb`` in ``collection``.

    For handlers whose collections are not in the path: the route says ``scope="handler"``.
    """
    if not principal.may(collection, verb):
        raise ProblemError(
            problems.FORBIDDEN, f"This needs the right to {verb} in this collection, which the key has not."
        )
