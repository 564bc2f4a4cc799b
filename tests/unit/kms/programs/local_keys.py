"""An executable that speaks ``sigstore-kms`` v1 over private keys in PEM files: real, small, and of no use to anybody.

It is written from the published schema, and shares no code with hatch-sign. KEY is the absolute path of the PEM file. The
variable LOCAL_KEYS_TOKEN must be ``open sesame``: it stands for the credential that a real one has. LOCAL_KEYS_FAULT names
what is to go wrong.
"""

# mypy: ignore-errors
# ruff: noqa: ANN001, ANN201, EM101, N818, PLC0415, PTH109, PTH117, PTH123, T201, TRY003 - a program of somebody else, as a script is written

# Each call is a process: what only some of them need is imported there.
import base64
import json
import os
import sys
import time

from cryptography.hazmat.primitives import serialization

HASHES = {5: "SHA256", 6: "SHA384", 7: "SHA512"}
CURVES = {"ECDSA_P256_SHA256": "SECP256R1", "ecdsa-p384": "SECP384R1", "ES512": "SECP521R1"}
RSA_SIZES = {"rsa-pkcs1v15-3072-sha256": 3072, "rsa-4096": 4096}
KINDS = [*CURVES, *RSA_SIZES, "ed25519"]


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
    path = initial["keyResourceID"]
    if not os.path.isabs(path):
        raise Refused("a key is an absolute path")
    with open(path, "rb") as file:
        return serialization.load_pem_private_key(file.read(), None, unsafe_skip_rsa_key_validation=True)


def pem(key):
    info = serialization.PublicFormat.SubjectPublicKeyInfo
    data = key.public_key().public_bytes(serialization.Encoding.PEM, info)
    return {"publicKeyPEM": base64.b64encode(data).decode()}


def public_key(initial, options):
    options["publicKeyOptions"]["rpcOptions"]
    return pem(load(initial))


def make(kind):
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if kind in CURVES:
        return ec.generate_private_key(getattr(ec, CURVES[kind])())
    return rsa.generate_private_key(65537, RSA_SIZES[kind]) if kind in RSA_SIZES else ed25519.Ed25519PrivateKey.generate()


def create_key(initial, options):
    key = make(options["algorithm"])
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    with open(initial["keyResourceID"], "wb") as file:
        file.write(key.private_bytes(encoding, form, serialization.NoEncryption()))
    return pem(key)


def digest_of_message(hash_name):
    import hashlib

    return hashlib.file_digest(sys.stdin.buffer, hash_name).digest()


def sign_message(initial, options):
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

    key, options = load(initial), options["signOptions"]["messageOptions"]
    number = options.get("hashFunc", initial["hashFunc"])
    digest = base64.b64decode(options.get("digest", ""), validate=True)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        if number or digest:
            raise Refused("an Ed25519 key signs messages")
        return {"signature": base64.b64encode(key.sign(sys.stdin.buffer.read())).decode()}
    algorithm = getattr(hashes, HASHES[number])()
    digest = digest or digest_of_message(algorithm.name)
    prehashed = utils.Prehashed(algorithm)
    arguments = [padding.PKCS1v15(), prehashed] if isinstance(key, rsa.RSAPrivateKey) else [ec.ECDSA(prehashed)]
    return {"signature": base64.b64encode(key.sign(digest, *arguments)).decode()}


METHODS = {
    "publicKey": public_key,
    "createKey": create_key,
    "signMessage": sign_message,
    "supportedAlgorithms": lambda _initial, _options: {"supportedAlgorithms": KINDS},
}


def crash():
    import signal

    os.kill(os.getpid(), signal.SIGKILL)


def leave_a_child(*, new_session=False):
    """Begin a child that holds the pipes open, and write its id where the test looks for it."""
    import subprocess

    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=new_session)
    with open(os.environ["LOCAL_KEYS_CHILD"], "w") as file:
        file.write(str(child.pid))


FAULTS = {
    "agent": lambda: leave_a_child(new_session=True),
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
