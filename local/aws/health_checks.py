"""What the emulator's health checks say in a way that no client understands: true and false in its own spelling."""

from typing import Any

from local.aws.internals import route53


def install() -> None:
    """Stand between the emulator's records and its answers."""
    build = vars(route53)["_build_health_check_el"]

    def spelled(parent: Any, check: dict[str, Any]) -> None:
        config = {
            name: str(value).lower() if isinstance(value, bool) else value
            for name, value in check.get("config", {}).items()
        }
        build(parent, {**check, "config": config})

    vars(route53)["_build_health_check_el"] = spelled
