"""A certification authority that is nothing but ``openssl ca``, with its own revocation lists and OCSP responder."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tests.peers import rigs
from tests.peers.codesigning.programs import demand, openssl

if TYPE_CHECKING:
    from tests.peers.rigs import PeerResult

_CONFIGURATION = """
[ca]
default_ca = authority
[authority]
database = index.txt
new_certs_dir = .
serial = serial
crlnumber = crlnumber
certificate = root.pem
private_key = root.key
default_md = sha256
default_days = 90
default_crl_days = 7
policy = any
unique_subject = no
[any]
commonName = supplied
[root]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[signer]
keyUsage = critical,digitalSignature
extendedKeyUsage = codeSigning
{places}
[responder]
keyUsage = critical,digitalSignature
extendedKeyUsage = OCSPSigning
noCheck = ignored
"""
_DATE = "%y%m%d%H%M%SZ"
_ATTEMPTS = 20
_PAUSE = 0.5  # Seconds.


@dataclass(frozen=True)
class OpensslAuthority:
    """Keys, certificates and the database, all in `folder`; ``signer.pem`` names `crl_url` and `ocsp_url`."""

    folder: Path
    crl_url: str = ""
    ocsp_url: str = ""

    def __post_init__(self) -> None:
        places = [f"crlDistributionPoints = URI:{self.crl_url}"] * bool(self.crl_url)
        places += [f"authorityInfoAccess = OCSP;URI:{self.ocsp_url}"] * bool(self.ocsp_url)
        files = {"index.txt": "", "serial": "1000\n", "crlnumber": "01\n"}
        files["ca.cnf"] = _CONFIGURATION.format(places="\n".join(places))
        for name, text in files.items():
            (self.folder / name).write_text(text)
        self.run(
            f"req -x509 -config ca.cnf -extensions root {_new_key('root')} -subj /CN=Authority -days 3650 -out root.pem"
        )
        for name in ("signer", "responder"):
            self.issue(name)

    def issue(self, name: str) -> None:
        """Make `NAME.key` and `NAME.pem`, with the extensions of that name."""
        self.run(f"req -new -config ca.cnf {_new_key(name)} -subj /CN={name} -out {name}.csr")
        self.run(f"ca -batch -notext -config ca.cnf -extensions {name} -in {name}.csr -out {name}.pem")

    def revoke(self, at: datetime, reason: str = "keyCompromise") -> None:
        """Revoke the signer's certificate as of an instant: openssl knows only the present, so its database is edited."""
        self.run(f"ca -config ca.cnf -revoke signer.pem -crl_reason {reason}")
        index = self.folder / "index.txt"
        lines = [line.split("\t") for line in index.read_text().splitlines()]
        for fields in lines:
            if fields[0] == "R":
                fields[2] = f"{at.astimezone(UTC):{_DATE}},{reason}"
        index.write_text("".join("\t".join(fields) + "\n" for fields in lines))

    def forget(self) -> None:
        """Empty the database, so that no certificate is known."""
        (self.folder / "index.txt").write_text("")

    def revocation_list(self, name: str = "list.crl", *, updates: tuple[datetime, datetime] | None = None) -> Path:
        """Write a list in PEM, of the present or with these dates of its own and of the next one."""
        dates = ""
        if updates:
            last, following = (f"{each.astimezone(UTC):%Y%m%d%H%M%SZ}" for each in updates)
            dates = f"-crl_lastupdate {last} -crl_nextupdate {following}"
        self.run(f"ca -config ca.cnf -gencrl {dates} -out {name}")
        return self.folder / name

    def revocation_list_der(self) -> bytes:
        path = self.revocation_list()
        self.run(f"crl -in {path.name} -outform DER -out list.der")
        return (self.folder / "list.der").read_bytes()

    def verify(self, crl: Path, *arguments: str) -> PeerResult:
        """Ask ``openssl verify`` whether the signer's certificate is good by this list."""
        return openssl(
            "verify", "-crl_check", "-CAfile", "root.pem", "-CRLfile", crl, *arguments, "signer.pem", folder=self.folder
        )

    def ask_responder(self, url: str) -> PeerResult:
        """Ask the responder by ``openssl ocsp`` whether the signer's certificate is good."""
        arguments = f"ocsp -issuer root.pem -cert signer.pem -CAfile root.pem -no_nonce -url {url}".split()
        answer = openssl(*arguments, folder=self.folder)
        good = "Response verify OK" in answer.output and "signer.pem: good" in answer.output
        return rigs.PeerResult(accepted=good, output=answer.output)

    @contextmanager
    def responder(self, port: int, signer: str = "responder", options: str = "-nmin 5") -> Iterator[None]:
        """Run ``openssl ocsp`` as a server, whose answers the certificate `signer` signs."""
        who = f"-index index.txt -CA root.pem -rsigner {signer}.pem -rkey {signer}.key"
        command = [rigs.require(rigs.Peer.OPENSSL), *f"ocsp -port {port} {who} {options}".split()]
        server = self._listening(command)
        try:
            yield
        finally:
            _end(server)

    def _listening(self, command: list[str]) -> subprocess.Popen[bytes]:
        """Start a responder; again for a while where it ends at once, as when somebody has taken its port for a moment."""
        for attempt in range(_ATTEMPTS):
            time.sleep(_PAUSE if attempt else 0)
            server = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            # To see whether it listens by connecting would make it wait for a question for ever.
            if server.stdout is not None and server.stdout.readline().startswith(b"ACCEPT"):
                return server
            _end(server)
        message = f"openssl's responder did not start in {_ATTEMPTS} attempts"
        raise rigs.RigError(message)

    def run(self, arguments: str) -> None:
        demand(openssl(*arguments.split(), folder=self.folder))


def _end(server: subprocess.Popen[bytes]) -> None:
    with server:  # which closes its output, and waits for its end
        server.terminate()


def _new_key(name: str) -> str:
    return f"-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key"
