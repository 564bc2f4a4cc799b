"""Try to get a private key out of the given token, and print what it says to each try; ``test_key_life.py`` starts it.

``python export_a_key.py KEY [--make]``; with ``--make``, a key of that name is made first that may leave the token.
"""

from __future__ import annotations

import json
import os
import sys

import pkcs11
from pkcs11 import Attribute, KeyType, MechanismFlag, ObjectClass

SECRETS = (Attribute.VALUE, Attribute.PRIVATE_EXPONENT, Attribute.PRIME_1)
GUARDS = {Attribute.SENSITIVE: False, Attribute.EXTRACTABLE: True}


def main(label: str, *, make: bool) -> None:
    """Read what holds the private key, take away what guards it, and read it again."""
    given = json.loads(os.environ["REAL_TOKEN"])
    token = pkcs11.lib(given["module"]).get_token(token_label=given["label"])
    with token.open(rw=True, user_pin=given["pin"]) as session:
        if make:
            make_extractable(session, label)
        (key,) = session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.LABEL: label})
        answers = {
            "values": [try_to_read(key, attribute) for attribute in SECRETS],
            "guards": [try_to_set(key, attribute, value) for attribute, value in GUARDS.items()],
            "values afterwards": [try_to_read(key, attribute) for attribute in SECRETS],
        }
        print(json.dumps(answers))  # noqa: T201 - for the test to read


def make_extractable(session: pkcs11.Session, label: str) -> None:
    """Make a key as it should never be."""
    unguarded = {Attribute.SENSITIVE: False, Attribute.EXTRACTABLE: True}
    signing = MechanismFlag.SIGN | MechanismFlag.VERIFY
    session.generate_keypair(
        KeyType.RSA, 3072, label=label, id=b"\x07", store=True, capabilities=signing, private_template=unguarded
    )


def try_to_read(key: pkcs11.PrivateKey, attribute: Attribute) -> str:
    """Return `read`, or what the token said."""
    try:
        return "read" if key[attribute] else "empty"
    except pkcs11.PKCS11Error as error:
        return type(error).__name__


def try_to_set(key: pkcs11.PrivateKey, attribute: Attribute, value: object) -> str:
    """Return `set`, or what the token said."""
    try:
        key[attribute] = value
    except pkcs11.PKCS11Error as error:
        return type(error).__name__
    return "set"


if __name__ == "__main__":
    main(sys.argv[1], make="--make" in sys.argv)
