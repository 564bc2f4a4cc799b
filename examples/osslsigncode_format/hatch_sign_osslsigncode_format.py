"""The format ``osslsigncode``: signatures inside MSI and CAB files. The program knows the files, the run holds the key."""

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from hatch_sign.contract import Finding, Format, hookimpl
from hatch_sign.formats.asn1 import malformed_asn1
from hatch_sign.formats.cms import carrying, enclosed, parsing, structures
from hatch_sign.values.errors import MalformedError, UnsupportedError
from hatch_sign.values.outcomes import Verdict
from hatch_sign.values.public_keys import schemes_of_key

MSI, CAB = bytes.fromhex("D0CF11E0A1B11AE1"), b"MSCF"
INDIRECT_DATA, TIMESTAMP = "1.3.6.1.4.1.311.2.1.4", "1.3.6.1.4.1.311.3.3.1"


def osslsigncode(command, *options, **files):
    with TemporaryDirectory() as folder:
        for name, content in files.items():
            Path(folder, name).write_bytes(content)
        arguments = ["osslsigncode", command, *options, "-in", "file", "-out", "out"]
        ran = subprocess.run(arguments, cwd=folder, capture_output=True, check=False)  # noqa: S603 - all written here
        if not Path(folder, "out").exists():
            raise UnsupportedError(f"osslsigncode {command} wrote nothing: {ran.stderr.decode().strip()}")
        return Path(folder, "out").read_bytes()


def content_to_sign(file, hash_):
    data = osslsigncode("extract-data", "-h", hash_, file=file)
    with malformed_asn1("what osslsigncode extracted"):  # for a CAB file, the rest of that follows it
        return structures.ContentInfo.load(data)["content"]["encap_content_info"]["content"].contents


class Osslsigncode:
    digests = staticmethod(lambda _scheme: frozenset())
    carries = staticmethod(lambda seal: carrying.without_roots(seal.certificates))
    schemes = staticmethod(lambda key: [scheme for scheme in schemes_of_key(key) if scheme.family == "rsa-pkcs1"])

    def embed(self, source, target, seal):
        if not (file := source.read()).startswith((MSI, CAB)):
            return False
        content, options = content_to_sign(file, str(seal.scheme.hash)), {"seal": seal, "certificates": self.carries(seal)}
        signature = enclosed.sign_enclosed(content, content_type=INDIRECT_DATA, timestamp=TIMESTAMP, **options)
        return bool(target.write(osslsigncode("attach-signature", "-sigin", "signature", file=file, signature=signature)))

    def check(self, name, source, keys):  # noqa: ARG002 - as the contract has it
        if not (file := source.read()).startswith((MSI, CAB)):
            return Finding(problem=Verdict.NOT_APPLICABLE)
        try:
            signed = parsing.parse_signed_data(osslsigncode("extract-signature", file=file), subject="the signature")
            content = content_to_sign(file, signed.signatures[0].hash)
            return enclosed.check_enclosed(signed, content, timestamp=TIMESTAMP, subject="the signature")
        except (MalformedError, UnsupportedError) as error:  # the latter where there is nothing to extract
            problem = Verdict.MALFORMED if isinstance(error, MalformedError) else Verdict.UNSIGNED
            return Finding(problem=problem, detail=error.message)


hatch_sign_register_format = hookimpl(lambda: Format("osslsigncode", "embedded", "", Osslsigncode, Osslsigncode))
