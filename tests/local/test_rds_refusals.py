"""A cluster that is refused leaves nothing, and one that is deleted only what was asked for."""

from local.processes import Processes

from .calls import refused
from .regions import HERE, Cluster


def test_another_major_version_is_refused_with_a_sentence(own: Cluster) -> None:
    arguments = {"DBClusterIdentifier": own.name, "Engine": "aurora-postgresql", "EngineVersion": "16.9"}
    answer = refused(
        own.rds.create_db_cluster, **arguments, MasterUsername="master", ManageMasterUserPassword=True
    )
    assert answer == (
        "InvalidParameterCombination: EngineVersion is 16.9: the engine here is PostgreSQL 17, "
        "so give a version of that major."
    )
    assert not (own.aws.home.databases / HERE / own.name).exists()


def test_another_engine_is_refused(own: Cluster) -> None:
    answer = refused(own.rds.create_db_cluster, DBClusterIdentifier=own.name, Engine="aurora-mysql")
    assert "only aurora-postgresql runs here" in answer


def test_an_instance_without_a_cluster_is_refused(own: Cluster) -> None:
    arguments = {
        "DBInstanceIdentifier": own.name,
        "DBInstanceClass": "db.t3.micro",
        "Engine": "aurora-postgresql",
    }
    assert "DBClusterNotFoundFault" in refused(own.rds.create_db_instance, **arguments)
    assert "DBClusterNotFoundFault" in refused(
        own.rds.create_db_instance, DBClusterIdentifier="none", **arguments
    )


def test_a_cluster_that_could_not_be_made_leaves_nothing(own: Cluster) -> None:
    # The name of a database may have 63 bytes, but PostgreSQL refuses a user of a reserved name.
    arguments = {
        "DBClusterIdentifier": own.name,
        "Engine": "aurora-postgresql",
        "MasterUsername": "pg_reserved",
    }
    assert "InternalFailure" in refused(own.rds.create_db_cluster, **arguments, ManageMasterUserPassword=True)
    assert own.name not in [
        found["DBClusterIdentifier"] for found in own.rds.describe_db_clusters()["DBClusters"]
    ]
    secrets = own.client("secretsmanager").list_secrets()["SecretList"]
    assert not [secret for secret in secrets if own.name in secret.get("Description", "")]
    assert not (own.aws.home.databases / HERE / own.name).exists()


def test_deletion_protection_is_honoured(own: Cluster) -> None:
    own.create(members=0, DeletionProtection=True)
    delete = {"DBClusterIdentifier": own.name, "SkipFinalSnapshot": True}
    assert "DeletionProtection" in refused(own.rds.delete_db_cluster, **delete)
    assert (own.aws.home.databases / HERE / own.name / "storage").exists()
    own.rds.modify_db_cluster(DBClusterIdentifier=own.name, DeletionProtection=False, ApplyImmediately=True)


def test_a_deleted_cluster_leaves_no_process_and_no_data(own: Cluster) -> None:
    own.create(members=2)
    own.delete()
    assert not [process for process in Processes(own.aws.home).all() if own.name in process.command.name]
    assert not (own.aws.home.databases / HERE / own.name).exists()


async def test_a_final_snapshot_keeps_what_the_cluster_held(own: Cluster) -> None:
    own.create(members=1)
    await own.ask("CREATE TABLE kept (what text)")
    own.remove(0)
    final = f"{own.name}-final"
    delete = {"DBClusterIdentifier": own.name}
    assert "FinalDBSnapshotIdentifier" in refused(own.rds.delete_db_cluster, **delete)
    own.rds.delete_db_cluster(**delete, FinalDBSnapshotIdentifier=final)
    (found,) = own.rds.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=final)["DBClusterSnapshots"]
    assert found["DBClusterIdentifier"] == own.name
    assert list((own.aws.home.root / "snapshots" / HERE / final).rglob("PG_VERSION"))
    assert not (own.aws.home.databases / HERE / own.name).exists()
