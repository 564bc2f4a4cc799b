"""Runs the programs and libraries that read and write CMS signatures, timestamps and Authenticode.

Each answers with a :class:`~tests.peers.rigs.PeerResult`: its verdict, and its own words for the reason. What is
missing skips the test, or fails it under continuous integration, as the other peers do.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tests.authority import chain_pem
from tests.peers import rigs
from tests.peers.rigs import Peer, PeerResult

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography import x509

    from tests.authority import HolderFiles

Argument = str | Path
_PASSWORD = "secret"  # noqa: S105 - of the PKCS #12 files that tests.authority writes


def openssl(*arguments: Argument, at: datetime | None = None, folder: Path | None = None) -> PeerResult:
    """Run any openssl command, at another time if one is given; any failure is a refusal."""
    return _run([rigs.require(Peer.OPENSSL), *arguments], at=at, folder=folder)


def openssl_cms_verify(
    content: Path,
    signature: Path,
    root: Path,
    *,
    form: str = "DER",
    at: datetime | None = None,
    arguments: Sequence[Argument] = (),
) -> PeerResult:
    """Ask openssl whether a detached CMS signature over `content` is good, under any purpose of the certificate.

    OpenSSL 3.0 knows no purpose of code signing: it came with 3.2. It knows nothing of timestamps either.
    """
    files = ["-content", content, "-in", signature, "-inform", form, "-CAfile", root]
    moment = ["-attime", str(int(at.timestamp()))] if at else []
    options = ["-binary", "-purpose", "any", *moment, *arguments, "-out", "/dev/null"]
    return openssl("cms", "-verify", *files, *options)


def openssl_cms_sign(content: Path, signature: Path, signer: HolderFiles, *arguments: Argument) -> None:
    """Write a detached CMS signature of `content` by openssl, in DER unless the arguments say otherwise."""
    who = ["-signer", signer.chain, "-inkey", signer.key]
    if signer.above.stat().st_size:
        who += ["-certfile", signer.above]
    form = [] if "-outform" in arguments else ["-outform", "DER"]
    made = openssl("cms", "-sign", "-binary", "-in", content, *who, *form, *arguments, "-out", signature)
    demand(made)


def openssl_ts_verify(
    token: bytes, content: bytes, root: x509.Certificate, *, is_token: bool = False, at: datetime | None = None
) -> PeerResult:
    """Ask openssl whether a timestamp, a TimeStampResp or with `is_token` what is inside one, covers `content`."""
    with _files(token=token, content=content, root=chain_pem(root)) as files:
        moment = ["-attime", str(int(at.timestamp()))] if at else []
        kind = ["-token_in"] if is_token else []
        data = ["-in", files["token"], "-data", files["content"], "-CAfile", files["root"]]
        return openssl("ts", "-verify", *data, *kind, *moment)


def osslsigncode(*arguments: Argument, at: datetime | None = None) -> PeerResult:
    """Run any command of osslsigncode."""
    return _run([rigs.require(Peer.OSSLSIGNCODE), *arguments], at=at)


def need_osslsigncode(*version: int) -> None:
    """Skip a test where osslsigncode is too old for it, as 2.5 of Debian 12 may be: also under continuous integration."""
    said = osslsigncode("--version").output
    found = re.search(r"osslsigncode (\d+)\.(\d+)", said)
    if found is None:
        raise rigs.RigError(said)
    if tuple(map(int, found.groups())) < version:
        pytest.skip(f"osslsigncode is older than {'.'.join(map(str, version))}")


def osslsigncode_verify(
    path: Path, root: Path, *, timestamp_root: Path | None = None, at: datetime | None = None, arguments: Sequence[str] = ()
) -> PeerResult:
    """Ask osslsigncode whether every Authenticode signature of `path` is good, with no revocation asked for.

    A timestamp that is there has to lead to `timestamp_root`, else it is reported and ignored.
    """
    options = ["-CAfile", root, "-TSA-CAfile", timestamp_root or root, *arguments]
    return osslsigncode("verify", *options, "-in", path, at=at)


def osslsigncode_sign(source: Path, target: Path, signer: HolderFiles, *arguments: Argument) -> None:
    """Write `source`, signed by osslsigncode, to `target`: SHA-256 unless the arguments say otherwise.

    Such as ``-h sha384``, ``-ph``, ``-n TEXT``, ``-i URL``, ``-nest``, ``-ts URL``.
    """
    hash_ = [] if "-h" in arguments else ["-h", "sha256"]
    who = ["-certs", signer.chain, "-key", signer.key]
    demand(osslsigncode("sign", *who, *hash_, *arguments, "-in", source, "-out", target))


def jsign(*arguments: Argument) -> PeerResult:
    """Run any command of jsign."""
    return _run(["java", "-jar", rigs.require(Peer.JSIGN), *arguments])


def jsign_sign(path: Path, signer: HolderFiles, *arguments: Argument) -> None:
    """Sign `path` in its place by jsign, such as with ``--alg SHA-384``, ``--tsaurl URL --tsmode RFC3161``."""
    who = ["--storetype", "PKCS12", "--keystore", signer.pkcs12, "--storepass", _PASSWORD]
    demand(jsign("sign", *who, *arguments, path))


def lief_verify(content: bytes) -> PeerResult:
    """Ask LIEF whether the Authenticode signatures are whole; it looks at no chain. The output names its checks."""
    lief = rigs.require_module("lief")
    binary = lief.PE.parse(list(content))
    if binary is None or not binary.has_signatures:
        return PeerResult(accepted=False, output="not signed")
    verdict = binary.verify_signature()
    whole = verdict == lief.PE.Signature.VERIFICATION_FLAGS.OK
    return PeerResult(accepted=whole, output=str(verdict))


def pyhanko_verify(
    content: bytes,
    signature: bytes,
    root: x509.Certificate,
    *,
    timestamp_root: x509.Certificate | None = None,
    at: datetime | None = None,
) -> PeerResult:
    """Ask pyHanko whether a detached CMS signature in DER is good: whole, trusted, of a certificate for code signing.

    A timestamp that is there has to be good too.
    """
    cms, x509 = rigs.require_module("asn1crypto.cms"), rigs.require_module("asn1crypto.x509")
    validation = rigs.require_module("pyhanko.sign.validation.generic_cms")
    settings = rigs.require_module("pyhanko.sign.validation.settings")
    context = rigs.require_module("pyhanko_certvalidator").ValidationContext
    anchors = (x509.Certificate.load(each.public_bytes(Encoding.DER)) for each in (root, timestamp_root or root))
    signers, authorities = (context(trust_roots=[each], moment=at, allow_fetching=False) for each in anchors)
    usage = settings.KeyUsageConstraints(key_usage={"digital_signature"}, extd_key_usage={"code_signing"})
    try:
        status = asyncio.run(
            validation.async_validate_detached_cms(
                content,
                cms.ContentInfo.load(signature, strict=True)["content"],
                signer_validation_context=signers,
                ts_validation_context=authorities,
                key_usage_settings=usage,
            )
        )
    except (rigs.require_module("pyhanko.sign.validation.errors").SignatureValidationError, ValueError) as error:
        return PeerResult(accepted=False, output=f"{type(error).__name__}: {error}")
    return PeerResult(accepted=status.bottom_line, output=status.summary())


def demand(result: PeerResult) -> None:
    """Raise unless a program did what the test stands on."""
    if not result.accepted:
        raise rigs.RigError(result.output)


def _run(command: Sequence[Argument], *, at: datetime | None = None, folder: Path | None = None) -> PeerResult:
    """Run a program at another time if one is given; unlike rigs.run_program, any failure is a refusal."""
    if at is not None:
        command = [rigs.require(Peer.FAKETIME), f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}", *command]
    return rigs.run_program(command, {"TZ": "UTC"}, folder, refusals=range(1, 128))


@contextmanager
def _files(**contents: bytes) -> Iterator[Mapping[str, Path]]:
    with tempfile.TemporaryDirectory() as name:
        paths = {key: Path(name, key) for key in contents}
        for key, content in contents.items():
            paths[key].write_bytes(content)
        yield paths
