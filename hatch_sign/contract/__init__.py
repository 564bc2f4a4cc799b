"""The contract of a plugin: the ports it implements and the hooks by which it registers them.

A plugin needs this package, :mod:`hatch_sign.values` and, where it reads or writes formats, :mod:`hatch_sign.formats`.
Nothing here imports cryptography, so that a plugin's module can be imported to list it.
"""

from hatch_sign.contract.backends import (
    Backend,
    BackendContext,
    Diagnoses,
    HashesMessages,
    ImportsCertificates,
    KeyDescription,
    ListsKeys,
    MakesKeys,
    NeedsTimestamp,
    SecretRequest,
    Signer,
    Symptom,
)
from hatch_sign.contract.bundle_signers import BundleBackend, BundleSeal, BundleSigner, LogVersion, SignsByBundle
from hatch_sign.contract.formats import (
    AggregateProducer,
    ChoosesSchemes,
    DetachedVerifier,
    EmbeddedProducer,
    EmbeddedVerifier,
    Facts,
    Finding,
    Format,
    ManifestProducer,
    ManifestVerifier,
    NeedsCertificate,
    Seal,
    SidecarProducer,
    TakesTimestamps,
    TakesTimestampsInside,
)
from hatch_sign.contract.hookspecs import ENTRY_POINT_GROUP, hookimpl
from hatch_sign.contract.observers import Observer, SignatureRecord
from hatch_sign.contract.publishers import Deed, Destination, Published, Publisher, ReadBack, ReleaseFile
from hatch_sign.contract.trust import Judgement, Material, RevocationSource, TrustKind, TrustRule
from hatch_sign.contract.witnesses import Evidence, Witness, WitnessProvider, WitnessRequest

__all__ = [
    "ENTRY_POINT_GROUP",
    "AggregateProducer",
    "Backend",
    "BackendContext",
    "BundleBackend",
    "BundleSeal",
    "BundleSigner",
    "ChoosesSchemes",
    "Deed",
    "Destination",
    "DetachedVerifier",
    "Diagnoses",
    "EmbeddedProducer",
    "EmbeddedVerifier",
    "Evidence",
    "Facts",
    "Finding",
    "Format",
    "HashesMessages",
    "ImportsCertificates",
    "Judgement",
    "KeyDescription",
    "ListsKeys",
    "LogVersion",
    "MakesKeys",
    "ManifestProducer",
    "ManifestVerifier",
    "Material",
    "NeedsCertificate",
    "NeedsTimestamp",
    "Observer",
    "Published",
    "Publisher",
    "ReadBack",
    "ReleaseFile",
    "RevocationSource",
    "Seal",
    "SecretRequest",
    "SidecarProducer",
    "SignatureRecord",
    "Signer",
    "SignsByBundle",
    "Symptom",
    "TakesTimestamps",
    "TakesTimestampsInside",
    "TrustKind",
    "TrustRule",
    "Witness",
    "WitnessProvider",
    "WitnessRequest",
    "hookimpl",
]
