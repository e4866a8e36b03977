"""Public keys of providers, and whether they have signed something."""

import base64
import binascii
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cryptography.x509 import load_pem_x509_certificate

from crm_messaging.webhooks.posted import Forged


@lru_cache(maxsize=8)
def p256_key(written: str) -> EllipticCurvePublicKey:
    """The key in base64 of its DER form. Raises `ValueError`, in words for who wrote it."""
    try:
        key = load_der_public_key(base64.b64decode(written, validate=True))
    except (ValueError, binascii.Error) as error:
        raise ValueError("it is no public key; copy it whole, it begins with MFkw") from error
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise ValueError("it is no key of the kind that SendGrid signs with (ECDSA, P-256)")  # noqa: TRY004
    return key


def check_ecdsa(key: EllipticCurvePublicKey, signature: str, signed: bytes) -> None:
    """Raise `Forged` unless `signature` (base64) is the key's, with SHA-256, of `signed`."""
    try:
        key.verify(base64.b64decode(signature, validate=True), signed, ECDSA(SHA256()))
    except (InvalidSignature, ValueError) as error:
        raise Forged from error


def check_rsa(certificate: bytes, signature: str, signed: bytes, algorithm: HashAlgorithm) -> None:
    """The same for the RSA key in a certificate (PEM), with PKCS #1 v1.5."""
    try:
        key = load_pem_x509_certificate(certificate).public_key()
        octets = base64.b64decode(signature, validate=True)
        if not isinstance(key, RSAPublicKey):
            raise Forged
        key.verify(octets, signed, PKCS1v15(), algorithm)
    except (InvalidSignature, ValueError) as error:
        raise Forged from error
