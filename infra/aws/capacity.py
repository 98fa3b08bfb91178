"""How large the instances of the database are: of a class, or between two bounds of capacity units."""

from infra.settings.database import DatabaseSettings

SERVERLESS_CLASS = "db.serverless"
# Amazon Aurora User Guide, "How Aurora Serverless v2 works": an ACU is about 2 GiB of memory.
_ACU_GIB = 2
# Amazon Aurora User Guide, "Hardware specifications for DB instance classes": GiB of a `large`, which doubles with size.
_LARGE_GIB = {"t": 8, "r": 16, "x": 32}


def instance_class(settings: DatabaseSettings) -> str:
    """The class to ask Aurora for."""
    return SERVERLESS_CLASS if settings.capacity == "serverless" else settings.instance_class


def memory_gib(settings: DatabaseSettings) -> float:
    """The memory of an instance in GiB, at its largest: what Aurora derives the limit of connections from."""
    if settings.capacity == "serverless":
        return settings.max_capacity_units * _ACU_GIB
    return _class_memory_gib(settings.instance_class)


def _class_memory_gib(name: str) -> float:
    _, family, size = name.split(".")
    large = _LARGE_GIB[family[0]]
    if size in ("medium", "large"):
        return large / 2 if size == "medium" else large
    return large * 2 * int(size.removesuffix("xlarge") or 1)
