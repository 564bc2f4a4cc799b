"""An executable that speaks ``sigstore-kms`` v1 over private keys in PEM files: real, small, and of no use to anybody.

It is written from the published schema, and shares no code with hatch-sign. KEY is the absolute path of the PEM file. The
variable LOCAL_KEYS_TOKEN must be ``open sesame``: it stands for the credential that a real one has. LOCAL_KEYS_FAULT names
what is to go wrong.
"""

# mypy: ignore-errors
# ruff: noqa: ANN001, ANN201, EM101, N818, PTH109, T201, TRY003 - a program of somebody else, as a script is written

import base64
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

HASHES = {5: hashes.SHA256(), 6: hashes.SHA384(), 7: hashes.SHA512()}
MAKERS = {
    "ECDSA_P256_SHA256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ecdsa-p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ES512": lambda: ec.generate_private_key(ec.SECP521R1()),
    "rsa-pkcs1v15-3072-sha256": lambda: rsa.generate_private_key(65537, 3072),
    "rsa-4096": lambda: rsa.generate_private_key(65537, 4096),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
}


class Refused(Exception):
    pass


def main():
    version, text = sys.argv[1:]
    arguments = json.loads(text)
    initial, method = arguments["initOptions"], arguments["methodName"]
    if version != "v1" or initial["protocolVersion"] != "v1":
        return {"errorMessage": "this program speaks v1"}
    if os.environ.get("LOCAL_KEYS_TOKEN") != "open sesame":
        return {"errorMessage": f"token {os.environ.get('LOCAL_KEYS_TOKEN')} was not accepted"}
    try:
        return {method: METHODS[method](initial, arguments[method])}
    except (Refused, OSError, ValueError) as error:
        return {"errorMessage": str(error)}


def load(initial):
    path = Path(initial["keyResourceID"])
    if not path.is_absolute():
        raise Refused("a key is an absolute path")
    return serialization.load_pem_private_key(path.read_bytes(), None, unsafe_skip_rsa_key_validation=True)


def pem(key):
    info = serialization.PublicFormat.SubjectPublicKeyInfo
    data = key.public_key().public_bytes(serialization.Encoding.PEM, info)
    return {"publicKeyPEM": base64.b64encode(data).decode()}


def public_key(initial, options):
    options["publicKeyOptions"]["rpcOptions"]
    return pem(load(initial))


def create_key(initial, options):
    path = Path(initial["keyResourceID"])
    key = MAKERS[options["algorithm"]]()
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path.write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
    return pem(key)


def sign_message(initial, options):
    key, options = load(initial), options["signOptions"]["messageOptions"]
    number = options.get("hashFunc", initial["hashFunc"])
    digest = base64.b64decode(options.get("digest", ""), validate=True)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        if number or digest:
            raise Refused("an Ed25519 key signs messages")
        return {"signature": base64.b64encode(key.sign(sys.stdin.buffer.read())).decode()}
    algorithm = HASHES[number]
    digest = digest or hashlib.file_digest(sys.stdin.buffer, algorithm.name).digest()
    prehashed = utils.Prehashed(algorithm)
    arguments = [padding.PKCS1v15(), prehashed] if isinstance(key, rsa.RSAPrivateKey) else [ec.ECDSA(prehashed)]
    return {"signature": base64.b64encode(key.sign(digest, *arguments)).decode()}


METHODS = {
    "publicKey": public_key,
    "createKey": create_key,
    "signMessage": sign_message,
    "supportedAlgorithms": lambda _initial, _options: {"supportedAlgorithms": list(MAKERS)},
}


def crash():
    os.kill(os.getpid(), signal.SIGKILL)


def leave_a_child():
    """Begin a child that holds the pipes open, and write its id where the test looks for it."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    Path(os.environ["LOCAL_KEYS_CHILD"]).write_text(str(child.pid))


FAULTS = {
    "hang": lambda: time.sleep(600),
    "flood": lambda: [sys.stdout.write("x" * 65536) for _ in range(1000)],
    "noise": lambda: [sys.stderr.write("noise " * 10000) for _ in range(20)],
    "crash": crash,
    "nothing": lambda: sys.exit("the licence has expired for open sesame"),
    "rubbish": lambda: sys.exit(print('{"publicKey": {"publicKeyPEM": "not base64"}}')),
    "child": lambda: (leave_a_child(), time.sleep(600)),
    "orphan": leave_a_child,
    "environment": lambda: sys.exit(print(json.dumps({"errorMessage": " ".join(sorted(os.environ))}))),
    "folder": lambda: sys.exit(print(json.dumps({"errorMessage": os.getcwd()}))),
}

if __name__ == "__main__":
    FAULTS.get(os.environ.get("LOCAL_KEYS_FAULT"), lambda: None)()
    print(json.dumps(main()))
