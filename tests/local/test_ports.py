"""A server keeps its port; two checkouts do not meet on one."""

import logging
import socket
from pathlib import Path

import pytest

from local.home import Home
from local.ports import Ports


def test_a_name_keeps_its_port(home: Home) -> None:
    port = Ports(home).claim("database")
    assert Ports(home).claim("database") == port
    assert Ports(home).claim("cache") != port


def test_a_port_taken_by_another_program_is_chosen_anew_and_said(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    port = Ports(home).claim("database")
    with socket.create_server(("127.0.0.1", port)), caplog.at_level(logging.WARNING):
        other = Ports(home).claim("database")
    assert other != port
    assert f"port {port} of database is taken by another program" in caplog.text
    assert Ports(home).claim("database") == other


def test_a_port_our_own_server_holds_is_kept(home: Home) -> None:
    port = Ports(home).claim("database")
    with socket.create_server(("127.0.0.1", port)):
        assert Ports(home).claim("database", held=True) == port


def test_a_port_must_be_free_on_every_address(home: Home) -> None:
    port = Ports(home).claim("database", hosts=("127.0.0.1", "127.0.0.2"))
    with socket.create_server(("127.0.0.2", port)):
        assert Ports(home).claim("database", hosts=("127.0.0.1", "127.0.0.2")) != port


def test_two_checkouts_get_different_ports(home: Home, tmp_path: Path) -> None:
    other = Home.at(tmp_path / "other")
    assert Ports(home).claim("database") != Ports(other).claim("database")
