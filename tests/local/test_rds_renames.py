"""A cluster takes another's name, and with it its place: on real PostgreSQL, with its data, its replica and its books."""

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from local.aws.emulator import Aws

from .regions import HERE, MASTER, Region, World


class Named(Region):
    """A cluster whose name changes with the one that it is known by here."""

    def rename(self, new: str) -> None:
        for number in range(len(self.described["DBClusterMembers"])):
            self.rds.modify_db_instance(
                DBInstanceIdentifier=f"{self.name}-{number}",
                NewDBInstanceIdentifier=f"{new}-{number}",
                ApplyImmediately=True,
            )
        self.rds.modify_db_cluster(
            DBClusterIdentifier=self.name, NewDBClusterIdentifier=new, ApplyImmediately=True
        )
        self.name = new


@pytest.fixture
def first(aws: Aws) -> Iterator[Named]:
    """A cluster with a reader."""
    region = Named(aws, HERE, "renamed")
    region.create(members=2, Tags=[{"Key": "layer", "Value": "state"}], **MASTER)
    yield region
    region.delete()


@pytest.fixture
def second(aws: Aws) -> Iterator[Named]:
    """Another one."""
    region = Named(aws, HERE, "beside")
    region.create(**MASTER)
    yield region
    region.delete()


async def test_who_takes_a_name_answers_where_its_owner_did(first: Named, second: Named) -> None:
    await first.ask("CREATE TABLE old ()")
    await second.ask("CREATE TABLE new ()")
    address = first.described["Port"]
    first.rename("renamed-old")
    second.rename("renamed")
    assert second.described["Port"] == address != first.described["Port"]
    assert await first.ask("SELECT to_regclass('old')::text") == "old"
    assert await second.ask("SELECT to_regclass('new')::text") == "new"


async def test_a_renamed_cluster_is_the_same_with_its_reader_and_its_tags(first: Named) -> None:
    before = first.described
    first.rename("renamed-again")
    after = first.described
    assert after["DbClusterResourceId"] == before["DbClusterResourceId"]
    assert after["TagList"] == before["TagList"] == [{"Key": "layer", "Value": "state"}]
    assert after["DBClusterArn"].endswith(":cluster:renamed-again")
    await first.ask("CREATE TABLE later ()")
    await first.received(first, endpoint="ReaderEndpoint")
    assert await first.ask("SELECT count(*) FROM pg_replication_slots") == 1


def test_a_name_that_is_taken_is_refused(first: Named, second: Named) -> None:
    with pytest.raises(ClientError, match="already exists"):
        second.rds.modify_db_cluster(DBClusterIdentifier=second.name, NewDBClusterIdentifier=first.name)
    with pytest.raises(ClientError, match="already exists"):
        second.rds.modify_db_instance(
            DBInstanceIdentifier=f"{second.name}-0", NewDBInstanceIdentifier=f"{first.name}-0"
        )


def test_a_member_of_a_global_cluster_keeps_its_name(world: World) -> None:
    world.lead()
    with pytest.raises(ClientError, match="let it leave first"):
        world.here.rds.modify_db_cluster(
            DBClusterIdentifier=world.here.name, NewDBClusterIdentifier="renamed"
        )
