"""The environment of the app, computed in one place: what the stack says of its stores, for whatever runs the image."""

import pulumi

from infra.layers.foundation import Foundation
from infra.layers.history import History
from infra.layers.site import Site
from infra.layers.state import State


def app_environment(
    site: Site, foundation: Foundation, state: State, history: History
) -> dict[str, pulumi.Input[str]]:
    """The environment variables that the cloud decides."""
    return {
        "VANTA_DATABASE_HOST": state.database.endpoint,
        "VANTA_DATABASE_PORT": state.database.port.apply(str),
        "VANTA_DATABASE_NAME": state.database.name,
        "VANTA_DATABASE_READER_HOST": state.database.reader_endpoint,
        "VANTA_CACHE_HOST": state.cache.endpoint,
        "VANTA_CACHE_PORT": state.cache.port.apply(str),
        "VANTA_ARCHIVE_BUCKET": history.archive.name,
        "VANTA_AUDIT_BUCKET": history.audit.name,
        "VANTA_KMS_KEY_ARN": foundation.keys.application,
        "AWS_REGION": site.place.region,
    }


def app_secrets(state: State) -> dict[str, pulumi.Input[str]]:
    """Which secrets the app needs: from the name of the file to the ARN."""
    return {
        "database-master": state.database.master_secret_arn,
        "database-app": state.database.app_secret_arn,
        "cache": state.cache.secret_arn,
    }
