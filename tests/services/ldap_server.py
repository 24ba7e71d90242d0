"""A real LDAP server (OpenLDAP's slapd) of a test's own: people in a folder, a loopback port, a certificate."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

BASE = "ou=people,dc=example,dc=org"
READER, READER_PASSWORD = "cn=athena,dc=example,dc=org", "reads the directory"
START_SECONDS = 60.0

CONFIG = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/slapd.pid
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
access to attrs=userPassword by anonymous auth by * none
access to * by dn="{reader}" read by * none
database mdb
suffix "dc=example,dc=org"
directory {folder}/data
maxsize 16777216
"""

ENTRIES = """dn: dc=example,dc=org
objectClass: dcObject
objectClass: organization
o: Example
dc: example

dn: {base}
objectClass: organizationalUnit
ou: people

dn: {reader}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: athena
userPassword: {reader_password}

dn: uid=alice,{base}
objectClass: inetOrgPerson
uid: alice
cn: Alice Liddell
givenName: Alice
sn: Liddell
mail: alice@example.org
userPassword: wonderland

dn: uid=bob,{base}
objectClass: inetOrgPerson
uid: bob
cn: Bob the Builder
givenName: Bob
sn: Builder
mail: bob@example.org
userPassword: can we fix it

dn: cn=Carol Twice,{base}
objectClass: inetOrgPerson
uid: carol
cn: Carol Twice
sn: Twice
mail: carol*(admin)@example.org
userPassword: one of two

dn: cn=Carol Again,{base}
objectClass: inetOrgPerson
uid: carol
cn: Carol Again
sn: Again
userPassword: two of two
"""


@dataclass(frozen=True)
class LdapServer:
    """A running server."""

    port: int
    tls_port: int
    ca_file: Path
    process: "subprocess.Popen[bytes]"

    @property
    def url(self) -> str:
        """Address in the clear, which may be encrypted by StartTLS."""
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def tls_url(self) -> str:
        """Address that is encrypted from the first byte."""
        return f"ldaps://127.0.0.1:{self.tls_port}"


@contextmanager
def ldap_server(slapd: str, folder: Path) -> Iterator[LdapServer]:
    """Run a server with a few people while the block lasts."""
    (folder / "data").mkdir(parents=True)
    _write_certificate(folder)
    config, entries = folder / "slapd.conf", folder / "entries.ldif"
    config.write_text(CONFIG.format(folder=folder, reader=READER))
    entries.write_text(ENTRIES.format(base=BASE, reader=READER, reader_password=READER_PASSWORD))
    subprocess.run([slapd, "-T", "add", "-f", config, "-l", entries], check=True, capture_output=True)
    with socket.socket() as one, socket.socket() as two:
        for bound in (one, two):
            bound.bind(("127.0.0.1", 0))
        port, tls_port = one.getsockname()[1], two.getsockname()[1]
    urls = f"ldap://127.0.0.1:{port} ldaps://127.0.0.1:{tls_port}"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([slapd, "-d", "none", "-f", config, "-h", urls], stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", tls_port), timeout=1).close()
                break
            except OSError:
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.05)
        yield LdapServer(port, tls_port, folder / "server.pem", process)
    finally:
        process.terminate()
        process.wait(30)


def _write_certificate(folder: Path) -> None:
    """Certificate of 127.0.0.1, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "server.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / "server.key").write_bytes(pem)
