"""The ``random`` provider: values that are drawn once and then kept in the stack's state, as secrets where they are."""

import base64
import secrets
import string

from local.provider.protocol import Failure, Provider, State
from local.provider.schema import UnknownTypeError, problems, resource_schema
from local.provider.values import Properties

_SPECIAL = "!@#$%&*()-_=+[]{}<>:?"
_PASSWORD = "random:index/randomPassword:RandomPassword"  # noqa: S105 - a type token
_ID = "random:index/randomId:RandomId"


class RandomProvider(Provider):
    """A :class:`local.provider.protocol.Provider` of ``RandomPassword`` and ``RandomId``."""

    name = "random"
    version = "4.21.4"

    def configure(self, config: Properties) -> Provider:
        """It has nothing to configure."""
        return self

    def check(self, token: str, inputs: Properties) -> list[Failure]:
        """Unknown or ill-typed properties, and alphabets from which the length cannot be drawn."""
        if token not in _DRAW:
            raise UnknownTypeError(
                f"The local random provider does not know {token}; it has {', '.join(_DRAW)}."
            )
        return [
            Failure(*problem) for problem in problems(inputs, resource_schema("pulumi_random", token).inputs)
        ]

    def replaces(self, token: str, changed: set[str], inputs: Properties) -> set[str]:
        """Everything: a changed alphabet or keeper means a new value."""
        return changed

    def create(self, token: str, inputs: Properties) -> State:
        """Draw the value."""
        return _DRAW[token](inputs)

    def read(self, token: str, state: State, inputs: Properties) -> State | None:
        """The state itself: the value exists nowhere else."""
        return state

    def observed_inputs(self, token: str, state: State, inputs: Properties) -> Properties:
        """There is nothing outside that could have drifted."""
        return inputs

    def update(self, token: str, state: State, old: Properties, new: Properties) -> State:
        """Never asked for: every change replaces."""
        raise AssertionError(f"{token} has no update")

    def delete(self, token: str, state: State) -> None:
        """The value is gone with the state."""

    def invoke(self, token: str, args: Properties) -> Properties:
        """It has no functions."""
        raise UnknownTypeError(f"The random provider has no function {token}.")


def _password(inputs: Properties) -> State:
    classes = {
        "lower": string.ascii_lowercase,
        "upper": string.ascii_uppercase,
        "numeric": string.digits,
        "special": inputs.get("overrideSpecial", _SPECIAL),
    }
    allowed = {name: letters for name, letters in classes.items() if inputs.get(name, True)}
    least = [
        secrets.choice(letters)
        for name, letters in allowed.items()
        for _ in range(inputs.get(f"min{name.capitalize()}", 0))
    ]
    rest = [secrets.choice("".join(allowed.values())) for _ in range(inputs["length"] - len(least))]
    letters = least + rest
    secrets.SystemRandom().shuffle(letters)
    defaults = {"lower": True, "upper": True, "numeric": True, "number": True, "special": True}
    minima = dict.fromkeys(("minLower", "minUpper", "minNumeric", "minSpecial"), 0)
    return State("none", {**defaults, **minima, **inputs, "id": "none", "result": "".join(letters)})


def _id(inputs: Properties) -> State:
    raw = secrets.token_bytes(inputs["byteLength"])
    url = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    prefix = inputs.get("prefix", "")
    return State(
        url,
        {
            **inputs,
            "id": url,
            "hex": prefix + raw.hex(),
            "dec": prefix + str(int.from_bytes(raw)),
            "b64Url": prefix + url,
            "b64Std": prefix + base64.b64encode(raw).decode(),
        },
    )


_DRAW = {_PASSWORD: _password, _ID: _id}
