"""The table: every AWS resource type that the program uses, one entry each; a file a service."""

import importlib
import pkgutil

TABLE = {
    entry.token: entry
    for service in pkgutil.iter_modules(__path__)
    for entry in importlib.import_module(f"{__name__}.{service.name}").TYPES
}
