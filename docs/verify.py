#!/usr/bin/env python3
"""Verifies a log as docs/spec/entry.md and docs/spec/log.md say; it shares no code with `audited verify`.
    verify.py LOG [--key VKEY]... [--seal-key KEY] [--copy FILE]...         exit: 0 intact, 1 tampered, 2 unverifiable
Needs Python 3.11 and, for Ed25519, `cryptography`; for compressed segments the program `zstd`, whose word it takes for them.
Stricter than the pages in one thing: no name may stand twice in an object, wherever it is; no writer makes such a line."""
import argparse, functools, hashlib, hmac, json, re, shutil, subprocess, sys
from base64 import b64decode
from pathlib import Path
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ENTRY = re.compile(rb'\{"record":\{.*,"sequence":\{"number":(0|[1-9][0-9]*)(?:,"previous_hash":"([0-9a-f]{64})")?,'
                   rb'"stream_id":"([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})"\}\}', re.DOTALL)
BASE64 = "((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=|[A-Za-z0-9+/][AQgw]==)?)"
KEY = re.compile(rf"([^\s\0-\x1f\x7f-\x9f+]+)\+([0-9a-f]{{8}})\+{BASE64}")
SIGNATURE = re.compile(rf"— ([^\s\0-\x1f\x7f-\x9f+]+) {BASE64}\n")
NOTE = re.compile(rf"(([^\0-\x1f]+)\n([1-9][0-9]*)\n{BASE64}\n)(?:\n((?:{SIGNATURE.pattern}){{1,128}}))?")
LISTED = re.compile("[^\n]*\n[^\n]*\n[^\n]*\n(?:\n(?:—[^\n]*\n)+(?!—)|(?!\n))".encode())  # one note among others
SEAL = re.compile(rb"audited seal 1\n(0|[1-9][0-9]*)\n(0|[1-9][0-9]*)\n([0-9a-f]{64})\n[0-9a-f]{64}\n")

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
    found = KEY.fullmatch(str(text))
    data = b64decode(found[3]) if found and origin in (None, found[1]) else b""
    is_key = len(data) == 33 and data[0] == 1 and sha256(f"{found[1]}\n".encode() + data).hex()[:8] == found[2]
    expect(is_key, "not a key, or not one of this log", entry)
    return found[1], bytes.fromhex(found[2]), data[1:]

class Note:  # a checkpoint with its signatures
    def __init__(self, data):
        found = NOTE.fullmatch(data.decode(errors="replace"))
        expect(found and len(data) <= 65_536, "a checkpoint is malformed")
        self.data, self.text, self.origin, self.size, self.root = data, *found.group(1, 2), int(found[3]), b64decode(found[4])
        self.signatures = [(name, b64decode(code)) for name, code in SIGNATURE.findall(found[5] or "")]
        shortest = min([5, *(len(code) for _, code in self.signatures)])
        expect(self.size < 1 << 64 and len(self.root) == 32 and shortest > 4, "a checkpoint is malformed")
    def is_signed_by(self, key):
        codes = [code[4:] for name, code in self.signatures if (name, code[:4]) == key[:2]]
        try: [Ed25519PublicKey.from_public_bytes(key[2]).verify(code, self.text.encode()) for code in codes]
        except InvalidSignature: return False
        return codes != []

class Log:
    def __init__(self, path, keys, seal_keys, copies):
        self.path, self.keys, self.seal_keys, self.copies, self.basis = path, keys, seal_keys, copies, []
        self.count, self.size, self.stack, self.rotations, self.notes, self.entry_0, self.record_0 = 0, 0, [], [], [], b"", {}
        self.leaf = self.stream = self.suspect = self.schema = self.event = self.newest = self.matched = self.wrong = None
    def read_checkpoints(self):
        data, listed, at = read(self.path / "checkpoint"), read(self.path / "checkpoints.log", 1 << 63), 0
        newest = self.newest = None if data is None else Note(data)
        while match := LISTED.match(listed or b"", at): self.notes, at = self.notes + [Note(match[0])], match.end()
        is_in_order = all(a.origin == b.origin and a.size <= b.size for a, b in zip(self.notes, self.notes[1:]))
        met = [newest is not None and note.data == newest.data for note in self.notes]
        if True in met[:-1] and len(self.notes[-1].signatures) < len(newest.signatures):
            at -= len(self.notes.pop().data)  # is being written
        rest, known = (listed or b"")[at:], self.notes + [newest] * (newest is not None)
        is_start = begin_alike(rest.rstrip(b"\0"), f"{known[0].origin if known else ''}\n".encode()) and len(rest) <= 65_536
        expect(newest is None or listed is None or True in met, "checkpoints.log: does not hold what `checkpoint` does")
        expect(is_in_order and is_start, "checkpoints.log: not in order, or other bytes at its end")
        self.own_copies = [copy for copy in self.copies if newest and copy.origin == newest.origin]
        self.heads = {(note.size, note.root) for note in known + self.own_copies}
    def need(self, holds, reason, entry=None):  # what was wrong before is named instead
        first = self.count if self.suspect is None else self.suspect
        entry = self.wrong - 1 if self.wrong and self.wrong - 1 < first else first if entry is None else entry
        expect(holds, reason, entry)
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
            record, call, previous = entry["record"], entry["record"].get("call"), previous and bytes.fromhex(previous.decode())
            texts = [record[name] for name in ("schema_version", "event_name", "stage", "time")]
            "".join(texts + ([] if call is None else [call["id"]])).encode()  # refuses half of a surrogate pair
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError): self.need(False, "not an entry")
        self.need(len(entry) == 2 and len(line) <= 65_535 and (previous is None) == (self.count == 0), "not an entry here")
        self.need(int(number) == self.count and stream == (self.stream or stream), "not the next entry of this stream")
        self.need(self.count or texts[0] != "1" or texts[1] == "log.opened", "not log.opened")
        if texts[0] != "1" and self.schema is None: self.schema = self.count
        self.need(self.suspect is None, "altered", self.count - 2 + (previous != self.leaf))
        if previous != self.leaf: self.suspect = self.count - 1
        if previous: self.push(previous)
        else: self.entry_0, self.record_0 = line, record
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
            program = ["zstd", "-dcq"] if path.suffix == ".zst" else ["cat"]
            expect(shutil.which(program[0]), f"no program {program[0]} to read {path.name}", None, True)
            unpacked = subprocess.run([*program, path], capture_output=True)
            self.need(unpacked.returncode == 0, "its segment cannot be unpacked")
            *lines, tail = unpacked.stdout.split(b"\n")
            for line in lines: self.read_line(line)
            self.need(len(tail.rstrip(b"\0")) <= 65_535, "not a line")
        if self.count: self.push(self.leaf)
        self.need(self.suspect is None, "altered", self.count - 2 + (not self.matched or bool(self.wrong)))
        self.need(not self.wrong, "the tree does not have the root of a checkpoint")
        expect(self.count >= max([0, *(size for size, _ in self.heads)]), "missing: a checkpoint covers it", self.count)
        is_opening = begin_alike(tail.rstrip(b"\0"), b'{"record":{"action":"log.opened",')
        expect(self.event != "log.closed" or is_opening, "follows the end of a closed log", self.count)
        expect(self.schema is None, f"entry {self.schema} is of another schema", None, True)
        self.basis.append(f"chain of {self.count} entries, {len(self.heads)} roots, {len(self.own_copies)} copies")
    def check_signatures(self):
        log, name = self.record_0.get("log") or {}, self.newest and self.newest.origin
        stated = [log.get("verification_key"), (self.record_0.get("annotations") or {}).get("identity_key")]
        first, identity = (text and parse_key(text, name, 0) for text in stated)
        epochs, epoch, own = [(0, stated[0]), *self.rotations], 0, [key for key in self.keys if key[0] == name]
        for note in self.notes if first and self.newest else []:
            for key in filter(None, [parse_key(epochs[epoch][1], name, epochs[epoch][0]), identity]):
                expect(note.is_signed_by(key), f"the checkpoint of {note.size} is not signed by the key of epoch {epoch}")
            while epoch + 1 < len(epochs) and epochs[epoch + 1][0] < note.size: epoch += 1
        expect(not first or not own or first in own or identity in own, "states another key than the one that was given", 0)
        expect(own and first or not self.keys, "not signed, or no key of the log's name was given", None, True)
        expect(not first or not self.newest or self.notes, "checkpoints.log: missing", None, True)
        self.basis += [f"{len(self.notes)} signatures of {epoch + 1} epochs, {len(own)} keys pinned"] * bool(first)
    def check_seal(self):
        data, lengths, value = read(self.path / "seal"), [len(note.data) for note in self.notes], bytes(32)
        seal = SEAL.fullmatch(data or b"")
        expect(data is None or seal and int(seal[1]) <= len(lengths) and int(seal[2]) <= sum(lengths), "seal: malformed, or the list is cut")
        for key in self.seal_keys:
            expect(seal, "seal: missing", None, True)
            for index, note in enumerate(self.notes[:int(seal[1])]):
                value = hmac.digest(key, index.to_bytes(8) + value + note.size.to_bytes(8) + note.root, "sha256")
                key = sha256(b"evolve/v1" + key)
            is_right = (value.hex().encode(), sum(lengths[:int(seal[1])])) == (seal[3], int(seal[2]))
            expect(is_right, "seal: not of these checkpoints and this key")
            self.basis.append(f"seal over {int(seal[1])} checkpoints, {len(lengths) - int(seal[1])} beyond it")
    def check_beside(self):
        origin, copy = (self.record_0.get("log") or {}).get("origin"), read(self.path / "log.json")
        expect(not self.entry_0 or isinstance(origin, str), "states no origin", 0)
        expect(not self.newest or not self.entry_0 or self.newest.origin == origin, "checkpoint: of another log")
        expect(copy is None or self.entry_0, "missing: log.json is a copy of it", 0)
        expect(copy in (None, self.entry_0 + b"\n"), "log.json: not entry 0")
        for path in sorted((self.path / "blobs").glob("*")):
            is_right = re.fullmatch(r"[0-9a-f]{64}\.[0-9]+\.tmp", path.name) or sha256(read(path, 1 << 24)).hex() == path.name
            expect(is_right, f"blobs/{path.name}: its bytes have another hash")
        expect(self.own_copies or not self.copies, "no copy of a checkpoint of this log was given", None, True)
        expect(copy and self.entry_0 and self.newest, "log.json, checkpoint or all entries missing", None, True)

def main(arguments):
    parser, findings = argparse.ArgumentParser(), []
    parser.add_argument("log", type=Path)
    decode, load = lambda text: b64decode(text.removeprefix("SEAL+KEY+")), lambda path: Note(Path(path).read_bytes())
    for name, kind in ("--key", parse_key), ("--seal-key", decode), ("--copy", load):
        parser.add_argument(name, type=kind, action="append", default=[])
    log = Log(*vars(parser.parse_args(arguments)).values())
    def holds(step):
        try: return step() or True
        except Finding as finding: findings.append(finding.args)
    if holds(log.read_checkpoints) and holds(log.read_segments):
        for step in (log.check_signatures, log.check_seal, log.check_beside): holds(step)
    holds(lambda: expect(not read(log.path / "lock"), "lock: not empty"))
    reason, entry, is_open = min(findings, key=lambda finding: finding[2], default=("everything fits", None, None))
    code = {None: 0, False: 1, True: 2}[is_open]
    print(["intact", "tampered", "unverifiable"][code], *[f"first bad entry: {entry}"] * (entry is not None), sep="\n")
    print(f"reason: {reason}\nchecked: {'; '.join(log.basis) or 'nothing'}")
    return code

if __name__ == "__main__": sys.exit(main(sys.argv[1:]))
