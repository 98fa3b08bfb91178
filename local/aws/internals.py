"""The one place that knows the inside of ministack, of which exactly the pinned version is installed.

Its records (dictionaries scoped by the account and region of the request) are read and changed here by the rooms that stand a real
engine behind them; its answers stay its own.
"""

from collections.abc import Callable
from typing import Any

from ministack.app import _build_persistence_save_dict as loaded_states
from ministack.app import app
from ministack.core.persistence import STATE_DIR
from ministack.core.persistence import _json_default as json_default
from ministack.core.persistence import _state_format_version as format_version
from ministack.core.responses import AccountScopedDict, get_account_id, get_region, request_scope
from ministack.services import cloudwatch, elasticache, rds, route53, s3
from ministack.services.cloudwatch import _store_datum as record_metric
from ministack.services.elasticache import _clusters as cache_clusters
from ministack.services.elasticache import _error as cache_error
from ministack.services.elasticache import _param_group_params as cache_parameters
from ministack.services.elasticache import _replication_groups as replication_groups
from ministack.services.elasticache import _rg_xml as replication_group_xml
from ministack.services.elasticache import _xml as cache_answer
from ministack.services.rds import _ACTION_MAP as _RDS_ACTIONS
from ministack.services.rds import _cluster_snapshot_xml as cluster_snapshot_xml
from ministack.services.rds import _cluster_xml as cluster_xml
from ministack.services.rds import _clusters as clusters
from ministack.services.rds import _create_cluster_snapshot_internal as record_cluster_snapshot
from ministack.services.rds import _db_cluster_param_groups as cluster_parameter_groups
from ministack.services.rds import _db_cluster_snapshots as cluster_snapshots
from ministack.services.rds import _error as rds_error
from ministack.services.rds import _global_cluster_writer_switch_response as switching_record
from ministack.services.rds import _global_cluster_xml as global_cluster_xml
from ministack.services.rds import _global_clusters as global_clusters
from ministack.services.rds import _instances as instances
from ministack.services.rds import _param_groups as instance_parameter_groups
from ministack.services.rds import _resolve_global_writer_switch as resolve_switch
from ministack.services.rds import _restore_state as restore_databases
from ministack.services.rds import _set_global_cluster_writer as record_global_writer
from ministack.services.rds import _single_instance_response as instance_answer
from ministack.services.rds import _tags as rds_tags
from ministack.services.rds import _unregister_instance_from_clusters as unregister_instance
from ministack.services.rds import _xml as rds_answer
from ministack.services.s3 import _apply_object_lock_from_headers as apply_object_lock
from ministack.services.s3 import _bucket_object_lock as bucket_object_lock
from ministack.services.s3 import _buckets as buckets
from ministack.services.s3 import _error as s3_error
from ministack.services.s3 import _replication_rule_for as replication_rule
from ministack.services.secretsmanager import create_secret_in_process as create_secret
from ministack.services.secretsmanager import delete_secret_in_process as delete_secret

# A query-protocol request: every parameter is a list of values.
Params = dict[str, list[str]]
Answer = tuple[int, dict[str, str], bytes]
S3Answer = tuple[int, dict[str, str], Any]
Handler = Callable[[Params], Answer]
Record = dict[str, Any]

# The emulator's table itself, not a copy: what is put into it is what answers.
RDS_ACTIONS: dict[str, Handler] = _RDS_ACTIONS  # ty: ignore[invalid-assignment] - its functions have no annotations

__all__ = [
    "RDS_ACTIONS",
    "STATE_DIR",
    "AccountScopedDict",
    "Answer",
    "Handler",
    "Params",
    "Record",
    "S3Answer",
    "app",
    "apply_object_lock",
    "bucket_object_lock",
    "buckets",
    "cache_answer",
    "cache_clusters",
    "cache_error",
    "cache_parameters",
    "cloudwatch",
    "cluster_parameter_groups",
    "cluster_snapshot_xml",
    "cluster_snapshots",
    "cluster_xml",
    "clusters",
    "create_secret",
    "delete_secret",
    "elasticache",
    "format_version",
    "get_account_id",
    "get_region",
    "global_cluster_xml",
    "global_clusters",
    "instance_answer",
    "instance_parameter_groups",
    "instances",
    "json_default",
    "loaded_states",
    "one",
    "rds",
    "rds_answer",
    "rds_error",
    "rds_tags",
    "record_cluster_snapshot",
    "record_global_writer",
    "record_metric",
    "replication_group_xml",
    "replication_groups",
    "replication_rule",
    "request_scope",
    "resolve_switch",
    "restore_databases",
    "route53",
    "s3",
    "s3_error",
    "switching_record",
    "unregister_instance",
]


def one(params: Params, name: str) -> str:
    """Return the value of parameter ``name`` of a request, empty if it was not given."""
    values = params.get(name, [])
    return values[0] if values else ""
