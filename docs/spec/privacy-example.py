"""Checks docs/spec/privacy-example.json by what docs/spec/privacy.md says. Usage: python3 privacy-example.py privacy-example.json

It needs the package `cryptography`, which has ChaCha20-Poly1305, and not XChaCha20: HChaCha20, which makes one of the other,
is written out here."""
import json, sys
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from hmac import digest as hmac
from struct import pack, unpack
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

def unbase64(text): return urlsafe_b64decode(text + "=" * (-len(text) % 4))
def base64(data): return urlsafe_b64encode(data).rstrip(b"=").decode()
def hkdf(secret, label, context=b"", salt=bytes(32)):               # RFC 5869, one block
    return hmac(hmac(salt, secret, "sha256"), label + b"\0" + context + b"\1", "sha256")
def short(key, data): return hmac(key, data, "sha256")[:16].hex()

def hchacha20(key, nonce):                                          # draft-irtf-cfrg-xchacha, section 2.2
    s = list(unpack("<16I", b"expand 32-byte k" + key + nonce))
    def add(a, b, d, n):
        s[a] = s[a] + s[b] & 0xffffffff
        s[d] ^= s[a]
        s[d] = (s[d] << n | s[d] >> 32 - n) & 0xffffffff
    def quarter(a, b, c, d): add(a, b, d, 16), add(c, d, b, 12), add(a, b, d, 8), add(c, d, b, 7)
    for _ in range(10):
        for i in range(4): quarter(i, 4 + i, 8 + i, 12 + i)
        for i in range(4): quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return pack("<8I", *s[:4], *s[12:])
def decrypt(key, nonce, data, associated):                          # XChaCha20-Poly1305
    return ChaCha20Poly1305(hchacha20(key, nonce[:16])).decrypt(bytes(4) + nonce[16:], data, associated)

e = json.load(open(sys.argv[1]))
files, tenant = e["files"], b"\1" + e["tenant"].encode()
tenant_key, salt = unbase64(e["tenant_key"].removeprefix("TENANT+KEY+")), unbase64(json.loads(files["ring.json"])["salt"])
tag, wrap = short(salt, b"audited/tenant/v1\0" + tenant), hkdf(tenant_key, b"audited/wrap/v1", tenant, salt)
def unwrap(name):
    key = json.loads(files[f"tenants/{tag}/{name}"])
    return decrypt(wrap, unbase64(key["nonce"]), unbase64(key["key"]), f"audited/wrapped/v1/{tag}/{key['id']}".encode())

token_key = hkdf(unwrap("tokens/k1.key"), b"audited/token-key/v1", tenant)
assert e["token"] == "token:k1:" + short(token_key, b"audited/token/v1" + e["scalar"].encode())

subject = short(unwrap("tenant.key"), b"audited/subject/v1\0" + e["subject"].encode())
assert e["key_id"] == "subject:" + subject
payload, key = json.loads(e["payload"]), hkdf(unwrap(f"subjects/{subject}.1.key"), b"audited/seal/v1")
disclosure = decrypt(key, unbase64(payload["nonce"]), unbase64(payload["sealed"]), payload["digest"].encode())
assert e["digest"] == payload["digest"] == base64(sha256(disclosure).digest())
print(json.loads(unbase64(disclosure.decode())))
