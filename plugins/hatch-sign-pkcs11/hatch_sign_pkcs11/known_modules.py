"""The PKCS#11 modules that people have, and where their vendors put them; the README's tables say the same."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KnownModule:
    """One vendor's module. The paths are those of its documentation or package; None where it has none."""

    product: str
    linux: str | None = None
    macos: str | None = None
    windows: str | None = None

    def path(self, platform: str) -> str | None:
        """Return where the module is on `platform`, a value of ``sys.platform``."""
        return self.windows if platform == "win32" else self.macos if platform == "darwin" else self.linux


KNOWN_MODULES = (
    KnownModule(
        "SoftHSM2",
        linux="/usr/lib/softhsm/libsofthsm2.so",
        macos="/opt/homebrew/lib/softhsm/libsofthsm2.so",
        windows=r"C:\SoftHSM2\lib\softhsm2-x64.dll",
    ),
    KnownModule(
        "p11-kit remoting",
        linux="/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-client.so",
        macos="/opt/homebrew/lib/pkcs11/p11-kit-client.so",
    ),
    KnownModule("openCryptoki", linux="/usr/lib/x86_64-linux-gnu/pkcs11/libopencryptoki.so"),
    KnownModule("TPM (tpm2-pkcs11)", linux="/usr/lib/x86_64-linux-gnu/pkcs11/libtpm2_pkcs11.so"),
    KnownModule(
        "YubiKey (YKCS11)",
        linux="/usr/local/lib/libykcs11.so",
        macos="/usr/local/lib/libykcs11.dylib",
        windows=r"C:\Program Files\Yubico\Yubico PIV Tool\bin\libykcs11.dll",
    ),
    KnownModule(
        "smart cards (OpenSC)",
        linux="/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so",
        macos="/Library/OpenSC/lib/opensc-pkcs11.so",
        windows=r"C:\Program Files\OpenSC Project\OpenSC\pkcs11\opensc-pkcs11.dll",
    ),
    KnownModule(
        "YubiHSM 2",
        linux="/usr/lib/x86_64-linux-gnu/pkcs11/yubihsm_pkcs11.so",
        macos="/usr/local/lib/pkcs11/yubihsm_pkcs11.dylib",
        windows=r"C:\Program Files\Yubico\YubiHSM Shell\bin\pkcs11\yubihsm_pkcs11.dll",
    ),
    KnownModule(
        "Thales Luna",
        linux="/usr/safenet/lunaclient/lib/libCryptoki2_64.so",
        windows=r"C:\Program Files\SafeNet\LunaClient\cryptoki.dll",
    ),
    KnownModule(
        "Entrust nShield",
        linux="/opt/nfast/toolkits/pkcs11/libcknfast.so",
        windows=r"C:\Program Files\nCipher\nfast\toolkits\pkcs11\cknfast.dll",
    ),
    KnownModule(
        "Utimaco",
        linux="/opt/utimaco/p11/libcs_pkcs11_R3.so",
        windows=r"C:\Program Files\Utimaco\CryptoServer\Lib\cs_pkcs11_R3.dll",
    ),
    KnownModule(
        "AWS CloudHSM",
        linux="/opt/cloudhsm/lib/libcloudhsm_pkcs11.so",
        windows=r"C:\Program Files\Amazon\CloudHSM\lib\cloudhsm_pkcs11.dll",
    ),
    KnownModule("Keyfactor Signum", linux="/usr/lib/libsignumpkcs11.so"),
)
