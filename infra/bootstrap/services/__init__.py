"""What a deployment may do, service by service: the resource types that the program declares, and no service besides."""

from collections.abc import Mapping

from infra.bootstrap.services import cluster, data, edge, identity, network, storage, upkeep, watching
from infra.bootstrap.services.grant import Service

# By the prefix of the service's actions in IAM.
SERVICES: Mapping[str, Service] = {
    **network.SERVICES,
    **edge.SERVICES,
    **cluster.SERVICES,
    **storage.SERVICES,
    **data.SERVICES,
    **identity.SERVICES,
    **watching.SERVICES,
    **upkeep.SERVICES,
}
