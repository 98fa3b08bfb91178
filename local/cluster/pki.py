"""The certificates of a cluster: one authority, a certificate a part, and the kubeconfig that carries it."""

import base64
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from local.home import write
from local.tls import LIFETIME

# Kubernetes, "PKI certificates and requirements": user and group of each part; the API server trusts these names.
_CLIENTS = {
    "admin": ("admin", "system:masters"),
    "controller-manager": ("system:kube-controller-manager", None),
    "scheduler": ("system:kube-scheduler", None),
    "proxy": ("system:kube-proxy", None),
    "front-proxy": ("front-proxy", None),
}
_API_NAMES = (
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)


@dataclass(frozen=True, kw_only=True)
class Pki:
    """PEM files in ``folder`` (mode 0700): ``ca.crt``, ``sa.key`` and ``sa.pub`` for service accounts, and per part
    ``<part>.crt``, ``<part>.key``, ``<part>.kubeconfig``. The key of the authority is not kept."""

    folder: Path

    def path(self, name: str) -> str:
        """The path of the file ``name``, for a command line."""
        return str(self.folder / name)

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.folder / "admin.kubeconfig"


def ensure(folder: Path, *, server: str, addresses: Sequence[str], node: str, context: str) -> Pki:
    """Return the certificates in ``folder``, made at the first call and whenever ``server`` has changed since.

    Args:
        folder: where they are kept.
        server: the URL of the API server, for the kubeconfigs.
        addresses: the IP addresses that the API server and the kubelet answer at.
        node: the name of the node.
        context: the name of the kubeconfigs' cluster and context.
    """
    pki = Pki(folder=folder)
    made_for = folder / "server"
    if not made_for.exists() or made_for.read_text() != server:
        _issue(pki, server, addresses, node, context)
        # Last, for its presence means that all is there.
        write(made_for, server)
    return pki


def _issue(pki: Pki, server: str, addresses: Sequence[str], node: str, context: str) -> None:
    authority = _Authority(pki.folder, server, context)
    authority.issue("apiserver", "kube-apiserver", None, names=_API_NAMES, addresses=addresses)
    authority.issue("kubelet", f"system:node:{node}", "system:nodes", names=[node], addresses=addresses)
    for part, (user, group) in _CLIENTS.items():
        authority.issue(part, user, group)
    accounts = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    write(pki.folder / "sa.key", _private(accounts))
    public = accounts.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    write(pki.folder / "sa.pub", public.decode())


class _Authority:
    def __init__(self, folder: Path, server: str, context: str) -> None:
        self._folder, self._server, self._context = folder, server, context
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"VANTA {context}")])
        usage = x509.KeyUsage(
            digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
            data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        certificate = (
            self._builder(self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self._ca = certificate.public_bytes(serialization.Encoding.PEM)
        write(folder / "ca.crt", self._ca.decode())

    def issue(
        self,
        part: str,
        user: str,
        group: str | None,
        *,
        names: Sequence[str] = (),
        addresses: Sequence[str] = (),
    ) -> None:
        """Write certificate, key and kubeconfig of ``part``."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = [x509.NameAttribute(NameOID.COMMON_NAME, user)]
        if group:
            subject.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, group))
        builder = self._builder(x509.Name(subject), key.public_key()).add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
            critical=False,
        )
        if names or addresses:
            hosts = [
                *(x509.DNSName(name) for name in names),
                *(x509.IPAddress(ipaddress.ip_address(address)) for address in addresses),
            ]
            builder = builder.add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        certificate = builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        write(self._folder / f"{part}.crt", certificate.decode())
        write(self._folder / f"{part}.key", _private(key))
        write(self._folder / f"{part}.kubeconfig", self._kubeconfig(part, certificate, _private(key)))

    def _kubeconfig(self, part: str, certificate: bytes, key: str) -> str:
        cluster = {"server": self._server, "certificate-authority-data": _encoded(self._ca)}
        user = {"client-certificate-data": _encoded(certificate), "client-key-data": _encoded(key.encode())}
        return yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": self._context,
                "clusters": [{"name": self._context, "cluster": cluster}],
                "users": [{"name": part, "user": user}],
                "contexts": [{"name": self._context, "context": {"cluster": self._context, "user": part}}],
            }
        )

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + LIFETIME)
            # Python's own verifier insists on both key identifiers.
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
        )


def _private(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    # The form that every Go program reads, service accounts' RSA keys included.
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()
