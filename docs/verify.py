#!/usr/bin/env python3
"""Verifies a log as docs/spec/entry.md and docs/spec/log.md say; it shares no code with `audited verify`.
    verify.py LOG [--key VKEY]... [--seal-key KEY] [--copy FILE]...         exit: 0 intact, 1 tampered, 2 unverifiable
Needs Python 3.11 and, for Ed25519, `cryptography`; for compressed segments the program `zstd`, whose word it takes for them.
Stricter than the pages in one thing: no name may stand twice in an object, wherever it is; no writer makes such a line."""
import argparse, functools, hashlib, hmac, json, re, subprocess, sys
from base64 import b64decode
from pathlib import Path
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ENTRY = re.compile(rb'\{"record":\{.*,"sequence":\{"number":(0|[1-9][0-9]*)(?:,"previous_hash":"([0-9a-f]{64})")?,'
                   rb'"stream_id":"([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})"\}\}', re.DOTALL)
LISTED = re.compile("[^\n]*\n[^\n]*\n[^\n]*\n(?:\n(?:—[^\n]*\n)+(?!—)|(?!\n))".encode())  # a note among others
BASE64 = "((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=|[A-Za-z0-9+/][AQgw]==)?)"
SIGNATURE = re.compile(rf"— ([^\s\0-\x1f\x7f-\x9f+]+) {BASE64}\n")
NOTE = re.compile(rf"(([^\0-\x1f]+)\n([1-9][0-9]*)\n{BASE64}\n)(?:\n((?:{SIGNATURE.pattern}){{1,128}}))?")
SEAL = re.compile(rb"audited seal 1\n(0|[1-9][0-9]*)\n(0|[1-9][0-9]*)\n([0-9a-f]{64})\n[0-9a-f]{64}\n")
MALFORMED = (ValueError, KeyError, TypeError, AttributeError, RecursionError)

class Finding(Exception): pass  # its arguments: reason, first bad entry, whether it leaves open that anything is wrong
def expect(holds, reason, entry=None, is_open=False):
    if not holds: raise Finding(reason, entry, is_open)
def sha256(data): return hashlib.sha256(data).digest()
def begin_alike(a, b): return a[:len(b)] == b[:len(a)]
def read(path, most=65_536):  # the bytes of a plain file; none if it is missing
    if not path.exists() and not path.is_symlink(): return None
    expect(path.is_file() and not path.is_symlink() and path.stat().st_size <= most, f"{path.name}: not a plain file")
    return path.read_bytes()
def members(pairs):  # of an object; called for NaN and the like, too, which are no pairs
    if len(dict(pairs)) < len(pairs): raise ValueError("a name stands twice")
    return dict(pairs)
def parse_key(text, origin=None, entry=None):  # name, id and public key of `<name>+<id>+base64(0x01 ‖ public key)`
    try:
        name, key_id, data = text.split("+", 2)
        data = b64decode(data, validate=True)
        if sha256(f"{name}\n".encode() + data).hex()[:8] == key_id and data[:1] == b"\1" and len(data) == 33:
            if origin in (None, name): return name, bytes.fromhex(key_id), data[1:]
    except MALFORMED: pass
    raise Finding("not a key, or not one of this log", entry, False)

class Note:  # a checkpoint with its signatures
    def __init__(self, data):
        try: found = NOTE.fullmatch(data.decode())
        except ValueError: found = None
        expect(found and len(data) <= 65_536, "a checkpoint is malformed")
        self.data, self.text, self.origin, self.size, self.root = data, found[1].encode(), found[2], int(found[3]), b64decode(found[4])
        self.signatures = [(name, b64decode(code)) for name, code in SIGNATURE.findall(found[5] or "")]
        is_whole = self.size < 1 << 64 and len(self.root) == 32 and all(len(code) > 4 for _, code in self.signatures)
        expect(is_whole, "a checkpoint is malformed")
    def is_signed_by(self, key):
        codes = [code[4:] for name, code in self.signatures if (name, code[:4]) == key[:2]]
        try: [Ed25519PublicKey.from_public_bytes(key[2]).verify(code, self.text) for code in codes]
        except InvalidSignature: return False
        return codes != []

class Log:
    def __init__(self, path, keys, seal_key, copies):
        self.path, self.keys, self.seal_key, self.copies, self.basis, self.findings = path, keys, seal_key, copies, [], []
        self.count, self.size, self.stack, self.rotations, self.notes, self.entry_0, self.opened = 0, 0, [], [], [], b"", {}
        self.leaf = self.stream = self.suspect = self.schema = self.event = self.newest = self.matched = self.wrong = None

    def read_checkpoints(self):
        data, listed, at = read(self.path / "checkpoint"), read(self.path / "checkpoints.log", 1 << 63), 0
        newest = self.newest = None if data is None else Note(data)
        while match := LISTED.match(listed or b"", at): self.notes, at = self.notes + [Note(match[0])], match.end()
        met = [newest is not None and note.data == newest.data for note in self.notes]
        if True in met[:-1] and len(self.notes[-1].signatures) < len(newest.signatures):
            at -= len(self.notes.pop().data)  # is being written
        expect(newest is None or listed is None or True in met, "checkpoints.log: does not hold what `checkpoint` does")
        in_order = all(a.origin == b.origin and a.size <= b.size for a, b in zip(self.notes, self.notes[1:]))
        rest, known = (listed or b"")[at:], self.notes + [newest] * (newest is not None)
        is_start = begin_alike(rest.rstrip(b"\0"), f"{known[0].origin if known else ''}\n".encode())
        expect(in_order and is_start and len(rest) <= 65_536, "checkpoints.log: not in order, or other bytes at its end")
        own = [copy for copy in self.copies if newest and copy.origin == newest.origin]
        self.copies, self.heads = (self.copies, own), {(note.size, note.root) for note in known + own}

    def need(self, holds, reason): expect(holds, reason, self.count if self.suspect is None else self.suspect)
    def push(self, leaf):
        size, self.size = self.size, self.size + 1
        while size & 1: leaf, size = sha256(b"\1" + self.stack.pop() + leaf), size >> 1
        self.stack.append(leaf)
        for root in (root for size, root in self.heads if size == self.size):
            own = functools.reduce(lambda right, left: sha256(b"\1" + left + right), reversed(self.stack))
            self.matched, self.wrong = self.matched or own == root, self.wrong or (own != root and self.size)
    def read_line(self, line):
        try:
            number, previous, stream = ENTRY.fullmatch(line).groups()
            entry = json.loads(line, object_pairs_hook=members, parse_int=str, parse_float=str, parse_constant=members)
            record, call = entry["record"], entry["record"].get("call")
            texts = [record[name] for name in ("schema_version", "event_name", "stage", "time")]
            "".join(texts + ([] if call is None else [call["id"]])).encode()  # refuses half of a surrogate pair
            self.need(len(entry) == 2 and len(line) <= 65_535, "not an entry")
        except MALFORMED: self.need(False, "not an entry")
        self.need(int(number) == self.count and stream == (self.stream or stream), "not the next entry of this stream")
        self.need((previous is None) == (self.count == 0), "previous_hash does not stand in all entries but the first")
        self.need(self.count or texts[0] != "1" or texts[1] == "log.opened", "not log.opened")
        if texts[0] != "1" and self.schema is None: self.schema = self.count
        is_next = previous is None or bytes.fromhex(previous.decode()) == self.leaf
        expect(self.suspect is None, "altered", self.count - 2 + (not is_next))
        if not is_next: self.suspect = self.count - 1
        if previous: self.push(bytes.fromhex(previous.decode()))
        else: self.entry_0, self.opened = line, record
        if texts[1] == "key.rotated": self.rotations.append((self.count, (record.get("log") or {}).get("verification_key")))
        self.count, self.leaf, self.stream, self.event = self.count + 1, sha256(b"\0" + line), stream, texts[1]
    def read_segments(self):
        forms, tail = {}, b""
        for path in sorted((self.path / "segments").glob("*")):
            name = re.fullmatch(r"([0-9]{20})\.jsonl(\.zst(\.tmp)?)?", path.name)
            expect(name and path.is_file() and not path.is_symlink(), f"segments/{path.name}: not a segment")
            if not name[3]: forms.setdefault(int(name[1]), path)  # the plain form comes first
        for first, path in forms.items():
            self.need(not tail and first == self.count, "not where the segment before ends")
            unpack = ["zstd", "-dcq"] if path.suffix == ".zst" else ["cat"]
            unpacked = subprocess.run([*unpack, path], capture_output=True)
            self.need(unpacked.returncode == 0, "its segment cannot be unpacked")
            *lines, tail = unpacked.stdout.split(b"\n")
            for line in lines: self.read_line(line)
            self.need(len(tail.rstrip(b"\0")) <= 65_535, "not a line")
        if self.count: self.push(self.leaf)
        expect(self.suspect is None, "altered", self.count - 2 + (not self.matched or bool(self.wrong)))
        expect(not self.wrong, "the tree does not have the root of a checkpoint", self.wrong and self.wrong - 1)
        expect(self.count >= max([0, *(size for size, _ in self.heads)]), "missing: a checkpoint covers it", self.count)
        is_opening = begin_alike(tail.rstrip(b"\0"), b'{"record":{"action":"log.opened",')
        expect(self.event != "log.closed" or is_opening, "follows the end of a closed log", self.count)
        expect(self.schema is None, f"entry {self.schema} is of another schema", None, True)
        self.basis.append(f"the chain of {self.count} entries and {len(self.heads)} roots, {len(self.copies[1])} from copies")

    def check_signatures(self):
        stated = [(self.opened.get("log") or {}).get("verification_key"), (self.opened.get("annotations") or {}).get("identity_key")]
        first, identity = (text and parse_key(text, self.newest and self.newest.origin, 0) for text in stated)
        own = [key for key in self.keys if self.newest and key[0] == self.newest.origin]
        if first and self.newest:
            expect(self.notes, "checkpoints.log: missing", None, True)
            epochs, epoch = [(0, stated[0]), *self.rotations], 0
            for note in self.notes:
                for key in filter(None, [parse_key(epochs[epoch][1], note.origin, epochs[epoch][0]), identity]):
                    expect(note.is_signed_by(key), f"the checkpoint of {note.size} entries is not signed by the key of epoch {epoch}")
                while epoch + 1 < len(epochs) and epochs[epoch + 1][0] < note.size: epoch += 1
            self.basis.append(f"{len(self.notes)} signatures of {epoch + 1} epochs, {'the first key pinned' if own else 'no key pinned'}")
        if self.keys:
            expect(own, "no key of the log's name was given", None, True)
            expect(first, "not signed, and a key was given", None, True)
            expect(first in own or identity in own, "states another key than the one that was given", 0)
    def check_seal(self):
        data, key, value, lengths = read(self.path / "seal"), self.seal_key, bytes(32), [len(note.data) for note in self.notes]
        if data is None: return expect(not key, "seal: missing", None, True)
        expect(seal := SEAL.fullmatch(data), "seal: malformed")
        count, sealed = int(seal[1]), int(seal[2])
        expect(count <= len(lengths) and sealed <= sum(lengths), "checkpoints.log: shorter than what is sealed")
        if not key: return
        for index, note in enumerate(self.notes[:count]):
            value = hmac.digest(key, index.to_bytes(8) + value + note.size.to_bytes(8) + note.root, "sha256")
            key = sha256(b"evolve/v1" + key)
        expect((value.hex().encode(), sum(lengths[:count])) == (seal[3], sealed), "seal: not of these checkpoints and this key")
        self.basis.append(f"the seal over {count} checkpoints, {len(lengths) - count} beyond it")
    def check_origin(self):
        origin = (self.opened.get("log") or {}).get("origin")
        expect(not self.entry_0 or isinstance(origin, str), "states no origin", 0)
        expect(not self.newest or not self.entry_0 or self.newest.origin == origin, "checkpoint: of another log")
        expect(self.copies[1] or not self.copies[0], "no copy of a checkpoint of this log was given", None, True)
    def check_log_json(self):
        data = read(self.path / "log.json")
        expect(data is None or self.entry_0, "missing: log.json is a copy of it", 0)
        expect(data in (None, self.entry_0 + b"\n"), "log.json: not entry 0")
        expect(data and self.entry_0 and self.newest, "log.json, checkpoint or all entries missing", None, True)
    def check_blobs(self):
        for path in sorted((self.path / "blobs").glob("*")):
            if not re.fullmatch(r"[0-9a-f]{64}\.[0-9]+\.tmp", path.name):
                expect(sha256(read(path, 1 << 24)).hex() == path.name, f"blobs/{path.name}: its bytes have another hash")
    def check_lock(self): expect(not read(self.path / "lock"), "lock: not empty")
    def verify(self):  # the finding that decides; none if the log is intact
        def holds(step):
            try: return step() or True
            except Finding as finding: self.findings.append(finding.args)
        if holds(self.read_checkpoints) and holds(self.read_segments):
            for step in (self.check_signatures, self.check_seal, self.check_origin, self.check_log_json, self.check_blobs): holds(step)
        holds(self.check_lock)
        return min(self.findings, key=lambda finding: finding[2], default=("", None, None))

def main(arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("log", type=Path)
    parser.add_argument("--key", action="append", default=[], type=parse_key)
    parser.add_argument("--seal-key", type=lambda text: b64decode(text.removeprefix("SEAL+KEY+")))
    parser.add_argument("--copy", action="append", default=[], type=lambda path: Note(Path(path).read_bytes()))
    given = parser.parse_args(arguments)
    log = Log(given.log, given.key, given.seal_key, given.copy)
    reason, entry, is_open = log.verify()
    code = {None: 0, False: 1, True: 2}[is_open]
    print(["intact", "tampered", "unverifiable"][code])
    if entry is not None: print("first bad entry:", entry)
    if reason: print("reason:", reason)
    print("checked:", "; ".join(log.basis) or "nothing")
    return code

if __name__ == "__main__": sys.exit(main(sys.argv[1:]))
