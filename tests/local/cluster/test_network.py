"""Each checkout has addresses of its own, keeps them, and yields to whoever has them already."""

from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from local import tls
from local.cluster import network
from local.cluster.error import ClusterError
from local.home import LOOPBACK, Home


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[dict[str, Any]]]:
    """What ``ip`` says of the machine."""
    said: dict[str, list[dict[str, Any]]] = {"address": [], "route": []}
    monkeypatch.setattr(network, "_ip", lambda what: said[what])
    return said


def interface(name: str, address: str) -> dict[str, Any]:
    return {"ifname": name, "addr_info": [{"local": address}]}


@pytest.mark.usefixtures("taken")
def test_the_same_home_has_the_same_addresses_again(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "a")
    assert network.claim(home) == network.claim(home)


def test_a_second_checkout_takes_other_addresses(
    tmp_path: Path, taken: dict[str, list[dict[str, Any]]]
) -> None:
    first = network.claim(Home.at(tmp_path / "a"))
    for slot in range(256):
        # All but one are somebody else's: the second checkout finds that one.
        if slot != first.slot ^ 1:
            taken["address"].append(interface(f"other{slot}", f"198.19.{slot}.241"))
    second = network.claim(Home.at(tmp_path / "b"))
    assert second.slot == first.slot ^ 1
    assert second.name != first.name


def test_a_route_of_somebody_else_counts_as_taken(
    tmp_path: Path, taken: dict[str, list[dict[str, Any]]]
) -> None:
    home = Home.at(tmp_path / "a")
    slot = network.claim(home).slot
    (home.root / "kubernetes" / "slot").unlink()
    taken["route"] = [{"dst": "default", "dev": "eth0"}, {"dst": f"198.18.{slot}.0/24", "dev": "vpn"}]
    assert network.claim(home).slot != slot


def test_addresses_that_somebody_took_meanwhile_are_refused(
    tmp_path: Path, taken: dict[str, list[dict[str, Any]]]
) -> None:
    home = Home.at(tmp_path / "a")
    slot = network.claim(home).slot
    taken["address"] = [interface("vpn", f"198.19.{slot}.1")]
    with pytest.raises(ClusterError, match=r"are used by another interface.*make cluster-down"):
        network.claim(home)


def test_its_own_interface_does_not_count_as_taken(
    tmp_path: Path, taken: dict[str, list[dict[str, Any]]]
) -> None:
    home = Home.at(tmp_path / "a")
    own = network.claim(home)
    taken["address"] = [interface(own.name, own.machine[0])]
    taken["route"] = [{"dst": own.pods, "dev": own.name}]
    assert network.claim(home) == own


def test_no_free_addresses_are_refused(tmp_path: Path, taken: dict[str, list[dict[str, Any]]]) -> None:
    taken["address"] = [interface(f"other{slot}", f"198.18.{slot}.1") for slot in range(256)]
    with pytest.raises(ClusterError, match=r"every network in 198.18.0.0/15 is in use"):
        network.claim(Home.at(tmp_path / "a"))


@pytest.mark.usefixtures("taken")
def test_servers_of_the_home_listen_where_pods_reach_them(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "a")
    assert home.addresses == LOOPBACK
    own = network.claim(home)
    assert home.addresses == own.machine
    assert len(own.machine) == len(LOOPBACK)
    certificate = x509.load_pem_x509_certificate(tls.ensure(home).certificate.read_bytes())
    hosts = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(address) for address in hosts.get_values_for_type(x509.IPAddress)] == [*own.machine]


def test_the_name_fits_an_interface_of_linux(tmp_path: Path) -> None:
    assert len(network.name_of(Home.at(tmp_path / "a"))) <= 15
