"""The TLS of a client: whom it trusts, and the certificate that it shows."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError, SecretRejectedError

if TYPE_CHECKING:
    from hatch_sign.contract.backends import BackendContext, SecretRequest


def trusting(bundle: str | None) -> ssl.SSLContext:
    """Return a context for TLS 1.2 or later that trusts the authorities in the PEM file `bundle`, else the system's.

    OpenSSL's SSL_CERT_FILE and SSL_CERT_DIR replace the system's. Raises ConfigurationError for a file that is none.
    """
    try:
        return ssl.create_default_context(cafile=bundle)
    except (OSError, ValueError):  # ssl.SSLError is an OSError
        message = f"{display(bundle)}: cannot be read as the PEM file of certificate authorities"
    raise ConfigurationError(message)


def show_certificate(
    tls: ssl.SSLContext, certificate: str, key: str | None, request: SecretRequest, context: BackendContext
) -> None:
    """Have `tls` show the client certificate in the PEM file `certificate`, with the private key in `key`, else in the same.

    Only a key that is encrypted makes `request` be asked for. Raises ConfigurationError, SecretRejectedError for a wrong
    password, SecretUnavailableError.
    """
    asked = False

    def password() -> str:
        nonlocal asked
        asked = True
        return context.secret(request)

    try:
        tls.load_cert_chain(certificate, key, password)
    except (OSError, ValueError) as error:
        rejected = asked and getattr(error, "reason", None) != "KEY_VALUES_MISMATCH"
    else:
        return
    if rejected:
        context.rejected(request)
        message = f"{display(key or certificate)}: the password does not decrypt the private key"
        raise SecretRejectedError(message, remedy="check it, and start again")
    message = f"{display(certificate)}: cannot be read as a client certificate in PEM with its private key"
    raise ConfigurationError(message, remedy="convert a PKCS#12 file with `openssl pkcs12 -in FILE -out client.pem`")
