"""How the program refuses: one message that names the key, its value, the reason and the remedy."""

import pulumi


class SettingsError(pulumi.RunError):
    """Configuration that cannot be deployed; the engine prints the message alone, without a traceback."""


def refusal(key: str, value: object, why: str, remedy: str) -> SettingsError:
    """The error for ``vanta:key``; ``why`` continues "... is VALUE" and ``remedy`` an imperative sentence or a question."""
    end = "" if remedy.endswith("?") else "."
    return SettingsError(f"vanta:{key} is {_shown(value)} {why}. {remedy}{end}")


def _shown(value: object) -> str:
    """A value as a configuration file spells it, short enough to stay readable in a sentence."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if text == "":
        return '""'
    return text if len(text) <= 60 else f"{text[:57]}..."
