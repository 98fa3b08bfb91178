"""Every part has a certificate of the one authority, and an administrator a kubeconfig that stands alone."""

import base64
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.x509.oid import ExtensionOID, NameOID

from local.cluster import pki

SERVER = "https://198.19.7.254:6443"


def made(folder: Path, server: str = SERVER) -> pki.Pki:
    return pki.ensure(folder, server=server, addresses=["198.19.7.254"], node="node", context="vanta")


def certificate(certificates: pki.Pki, part: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(Path(certificates.path(f"{part}.crt")).read_bytes())


def test_every_certificate_is_of_the_one_authority(tmp_path: Path) -> None:
    certificates = made(tmp_path)
    authority = certificate(certificates, "ca")
    for part in ("apiserver", "kubelet", "admin", "controller-manager", "scheduler", "proxy", "front-proxy"):
        certificate(certificates, part).verify_directly_issued_by(authority)


def test_the_authority_can_sign_nothing_more(tmp_path: Path) -> None:
    made(tmp_path)
    assert not (tmp_path / "ca.key").exists()


def test_the_kubelet_is_a_node_and_answers_at_its_address(tmp_path: Path) -> None:
    kubelet = certificate(made(tmp_path), "kubelet")
    assert [name.value for name in kubelet.subject.get_attributes_for_oid(NameOID.COMMON_NAME)] == [
        "system:node:node"
    ]
    hosts = kubelet.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
    assert isinstance(hosts, x509.SubjectAlternativeName)
    assert [str(address) for address in hosts.get_values_for_type(x509.IPAddress)] == ["198.19.7.254"]


def test_a_kubeconfig_needs_no_file_beside_it(tmp_path: Path) -> None:
    certificates = made(tmp_path)
    document = yaml.safe_load(certificates.kubeconfig.read_text())
    (cluster,) = document["clusters"]
    assert cluster["cluster"]["server"] == SERVER
    ca = base64.b64decode(cluster["cluster"]["certificate-authority-data"])
    assert ca == Path(certificates.path("ca.crt")).read_bytes()


def test_keys_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    made(tmp_path)
    for path in (*tmp_path.glob("*.key"), *tmp_path.glob("*.kubeconfig")):
        assert path.stat().st_mode & 0o077 == 0


def test_they_stay_until_the_server_moves(tmp_path: Path) -> None:
    before = Path(made(tmp_path).path("ca.crt")).read_bytes()
    assert Path(made(tmp_path).path("ca.crt")).read_bytes() == before
    assert Path(made(tmp_path, "https://127.0.0.1:1").path("ca.crt")).read_bytes() != before
