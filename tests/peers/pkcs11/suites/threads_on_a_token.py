"""Sign with eight threads and eight sessions at once, again and again; ``test_threads.py`` starts it.

``python threads_on_a_token.py KEY ROUNDS SIGNATURES`` opens KEY of the given token ROUNDS times, lets each thread make and
check so many SIGNATURES each time, and prints how many sessions were open and how many signatures were good.
"""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from hatch_sign.custody.checked_signer import CheckedSigner
from hatch_sign_pkcs11 import Pkcs11Backend
from hatch_sign_pkcs11.signer import Pkcs11Signer

sys.path.insert(0, str(Path(__file__).resolve().parent))  # It is run by itself, not as a part of a package.
from given_token import given_token  # type: ignore[import-not-found, unused-ignore]

THREADS = 8


def main(key: str, rounds: int, signatures: int) -> None:
    """Do the rounds; a signature that is not good raises."""
    token = given_token()
    sessions, good = set(), 0
    for _ in range(rounds):
        with Pkcs11Backend().open(token.reference(key), token.context()) as signer:
            assert isinstance(signer, Pkcs11Signer)
            sessions.add(open_all_sessions(signer))
            good += sign_at_once(CheckedSigner(signer, reference=key), signatures)
    print(f"{sorted(sessions)} sessions, {good} signatures")  # noqa: T201 - for the test to read


def open_all_sessions(signer: Pkcs11Signer) -> int:
    """Open as many sessions as the signer may have, which it does by itself only while others are in use."""
    assert signer._connection is not None
    pool = signer._connection._pool
    with ExitStack() as stack:
        lent = [stack.enter_context(pool.borrow()) for _ in range(signer.concurrency)]
        return len({id(each.session) for each in lent})


def sign_at_once(checked: CheckedSigner, signatures: int) -> int:
    """Return how many signatures were made; each was checked with another library."""
    scheme = checked.schemes[0]
    start = threading.Barrier(THREADS)

    def work(number: int) -> int:
        start.wait()
        return len([checked.sign(b"%d %d" % (number, each), scheme) for each in range(signatures)])

    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(work, range(THREADS)))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
