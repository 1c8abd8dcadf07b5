#!/usr/bin/env python3
"""Verifies a log by docs/spec/entry.md and log.md, sharing no code with `audited verify`; exit 0 intact, 1 tampered, 2 unverifiable.
Needs Python 3.11, `cryptography` and, for compressed segments, `zstd`. Of a name that stands twice in an object the last counts."""
import argparse, base64, functools, hashlib, hmac, json, re, shutil, subprocess, sys
from pathlib import Path
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
ENTRY = re.compile(rb'\{"record":\{.*,"sequence":\{"number":(0|[1-9][0-9]*)(?:,"previous_hash":"([0-9a-f]{64})")?,"stream_id":"([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})"\}\}', re.DOTALL)
BYTES = "(?=.{7})((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=|[A-Za-z0-9+/][AQgw]==)?)"  # 5 or more in base64
KEY = re.compile(rf"([^\s\0-\x1f\x7f-\x9f+]+)\+([0-9a-f]{{8}})\+{BYTES}")
SIGNATURE = re.compile(rf"— ([^\s\0-\x1f\x7f-\x9f+]+) {BYTES}\n")
NOTE = re.compile(rf"(([^\0-\x1f]+)\n([1-9][0-9]{{,19}})\n([A-Za-z0-9+/]{{42}}[AEIMQUYcgkosw048]=)\n)(?:\n((?:{SIGNATURE.pattern}){{1,128}}))?")
LISTED = re.compile(rb"[^\n]*\n[^\n]*\n[^\n]*\n(?:\n(?:\xe2\x80\x94[^\n]*\n)+(?!\xe2\x80\x94|\xe2\x80?\Z)|(?!\n))")  # one of several
SEAL = re.compile(rb"audited seal 1\n(0|[1-9][0-9]*)\n(0|[1-9][0-9]*)\n([0-9a-f]{64})\n[0-9a-f]{64}\n")
class Finding(ValueError): pass  # its arguments: reason, first bad entry, whether it leaves open that anything is wrong
def expect(holds, reason, entry=None, is_open=False):
    if not holds: raise Finding(reason, entry, is_open)
def sha256(data): return hashlib.sha256(data).digest()
def read(path, most=65_536):  # the bytes of a plain file; none if it is missing
    if not path.exists() and not path.is_symlink(): return None
    expect(path.is_file() and not path.is_symlink() and path.stat().st_size <= most, f"{path.name}: not a plain file")
    return path.read_bytes()
def parse_key(text, origin=None, entry=None):  # name, id and public key of `<name>+<id>+base64(0x01 ‖ public key)`
    found = KEY.fullmatch(str(text))
    data = base64.b64decode(found[3]) if found and origin in (None, found[1]) else b""
    expect(data[:1] == b"\1" and len(data) == 33 and sha256(f"{found[1]}\n".encode() + data).hex()[:8] == found[2], "not a key of this log", entry)
    return found[1], bytes.fromhex(found[2]), data[1:]
class Note:  # a checkpoint with its signatures
    def __init__(self, data):
        found = NOTE.fullmatch(data.decode(errors="replace"))
        expect(found and int(found[3]) < 1 << 64 and len(data) <= 65_536, "a checkpoint is malformed")
        self.data, self.text, self.origin, self.size, self.root = data, *found.group(1, 2), int(found[3]), base64.b64decode(found[4])
        self.signatures = [(name, base64.b64decode(code)) for name, code in SIGNATURE.findall(found[5] or "")]
class Log:
    def __init__(self, log, key, seal_key, copy):
        self.path, self.keys, self.seal_keys, self.copies, self.basis = log, key, seal_key, copy, []
        self.count, self.size, self.stack, self.rotations, self.notes, self.entry_0, self.record_0, self.heads = 0, 0, [], [], [], b"", {}, {}
        self.leaf = self.stream = self.suspect = self.schema = self.event = self.newest = self.matched = self.wrong = None
    def read_checkpoints(self):
        data, listed, at = read(self.path / "checkpoint"), read(self.path / "checkpoints.log", 1 << 63), 0
        newest = self.newest = None if data is None else Note(data)
        while (match := LISTED.match(listed or b"", at)) and b"\0" not in match[0]: at = self.notes.append(Note(match[0])) or match.end()
        is_right = all(a.origin == b.origin and a.size <= b.size for a, b in zip(self.notes, self.notes[1:]))
        met, torn = [newest is not None and note.data == newest.data for note in self.notes], b""
        if True in met[:-1] and len(self.notes[-1].signatures) < len(newest.signatures): torn = self.notes.pop().data
        rest, known = (listed or b"")[at - len(torn):], self.notes + [newest] * (newest is not None)
        is_right &= newest is None or listed is None or True in met
        is_right &= len(rest) <= 65_536 and all(byte in (0, own) for byte, own in zip(rest, f"{known[0].origin if known else ''}\n".encode()))
        expect(is_right and (rest == torn or b"\0" in rest or not LISTED.match(rest)), "checkpoints.log: not what was listed")
        self.own_copies = [copy for copy in self.copies if newest and copy.origin == newest.origin]
        for note in known + self.own_copies: self.heads.setdefault(note.size, set()).add(note.root)
    def need(self, holds, reason, entry=None):
        first = self.count if self.suspect is None else self.suspect
        expect(holds, reason, self.wrong - 1 if self.wrong and self.wrong <= first else first if entry is None else entry)
    def push(self, leaf):
        size, self.size = self.size, self.size + 1
        while size & 1: leaf, size = sha256(b"\1" + self.stack.pop() + leaf), size >> 1
        self.stack.append(leaf)
        for root in self.heads.get(self.size, ()):
            own = functools.reduce(lambda right, left: sha256(b"\1" + left + right), reversed(self.stack))
            self.matched, self.wrong = self.matched or own == root, self.wrong or (own != root and self.size)
    def read_line(self, line):
        try:
            number, previous, stream = ENTRY.fullmatch(line).groups()
            entry = json.loads(line, parse_int=str, parse_float=str, parse_constant=dict)  # no dict is made of NaN
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
        names = {path: re.fullmatch(r"([0-9]{20})\.jsonl(\.zst(\.tmp)?)?", path.name) for path in (self.path / "segments").glob("*")}
        expect(all(name and path.is_file() and not path.is_symlink() for path, name in names.items()), "segments: others, too")
        plain, tail = [path for path, name in names.items() if not name[2]], b""
        for path in sorted(path for path, name in names.items() if not name[3] and (path in plain or path.with_suffix("") not in plain)):
            self.need(not tail and int(path.name[:20]) == self.count, "not where the segment before ends")
            program = ["cat"] if path in plain else ["zstd", "-dcq"]
            expect(shutil.which(program[0]), f"no program {program[0]} to read {path.name}", None, True)
            unpacked = subprocess.run([*program, path], capture_output=True)
            self.need(unpacked.returncode == 0, "its segment cannot be unpacked")
            *lines, tail = unpacked.stdout.split(b"\n")
            for line in lines: self.read_line(line)
            self.need(len(tail.rstrip(b"\0")) <= 65_535, "not a line")
        if self.count: self.push(self.leaf)
        self.need(self.suspect is None, "altered", self.count - 2 + (not self.matched or bool(self.wrong)))
        self.need(not self.wrong, "the tree does not have the root of a checkpoint")
        self.need(self.count >= max(self.heads, default=0), "missing: a checkpoint covers it")
        may_follow = b'{"record":{"action":"log.opened",' if self.event == "log.closed" else tail
        self.need(may_follow.startswith(tail.rstrip(b"\0")[:len(may_follow)]), "follows the end of a closed log")
        expect(self.schema is None, f"entry {self.schema} is of another schema", None, True)
        self.basis.append(f"chain of {self.count} entries, {len(self.heads)} roots, {len(self.own_copies)} copies")
    def check_signatures(self):
        log, name = self.record_0.get("log") or {}, self.newest and self.newest.origin
        stated = [log.get("verification_key"), (self.record_0.get("annotations") or {}).get("identity_key")]
        first, identity = (text and parse_key(text, log.get("origin"), 0) for text in stated)
        epochs, epoch, own = [(0, stated[0]), *self.rotations], 0, [key for key in self.keys if key[0] == name]
        for note in self.notes if first and self.newest else []:
            for key in filter(None, [parse_key(epochs[epoch][1], first[0], epochs[epoch][0]), identity]):
                codes = [code[4:] for name, code in note.signatures if (name, code[:4]) == key[:2]]
                expect(codes, f"the checkpoint of {note.size} entries: no signature of the key of epoch {epoch}")
                for code in codes: Ed25519PublicKey.from_public_bytes(key[2]).verify(code, note.text.encode())
            while epoch + 1 < len(epochs) and epochs[epoch + 1][0] < note.size: epoch += 1
        expect(not first or not own or first in own or identity in own, "states another key than the one that was given", 0)
        expect(own and first or not self.keys, "no signatures, or no key of the log's name was given", None, True)
        expect(self.notes or not first or not self.newest, "no list of checkpoints", None, True)
        self.basis += [f"{len(self.notes)} signatures of {epoch + 1} epochs, {len(own)} keys pinned"] * bool(first)
    def check_seal(self):
        data, lengths, value = read(self.path / "seal"), [len(note.data) for note in self.notes], bytes(32)
        expect(data is None or (seal := SEAL.fullmatch(data)) and int(seal[1]) <= len(lengths) and int(seal[2]) <= sum(lengths), "seal: not one, or the list is cut")
        for key in self.seal_keys:
            expect(data is not None, "seal: missing", None, True)
            for index, note in enumerate(self.notes[:int(seal[1])]):
                value = hmac.digest(key, index.to_bytes(8) + value + note.size.to_bytes(8) + note.root, "sha256")
                key = sha256(b"evolve/v1" + key)
            expect((value.hex().encode(), sum(lengths[:int(seal[1])])) == (seal[3], int(seal[2])), "seal: not of these notes")
            self.basis.append(f"seal over {int(seal[1])} checkpoints, {len(lengths) - int(seal[1])} beyond it")
    def check_beside(self):
        origin, copy = (self.record_0.get("log") or {}).get("origin"), read(self.path / "log.json")
        expect(not self.entry_0 or isinstance(origin, str), "states no origin", 0)
        expect(not self.newest or not self.entry_0 or self.newest.origin == origin, "checkpoint: of another log")
        expect(copy is None or copy == self.entry_0 + b"\n", "log.json: not entry 0", None if self.entry_0 else 0)
        blobs = [path for path in (self.path / "blobs").glob("*") if not re.fullmatch("[0-9a-f]{64}[.][0-9]+[.]tmp", path.name)]
        expect(all(sha256(read(path, 1 << 24)).hex() == path.name for path in blobs), "blobs: altered")
        expect(copy and self.entry_0 and self.newest and (self.own_copies or not self.copies), "missing: log.json, checkpoint, all entries, or a copy that is of this log", None, True)
def main(arguments):
    parser, findings = argparse.ArgumentParser(), []
    parser.add_argument("log", type=Path)
    decode, load = lambda text: base64.b64decode(text.removeprefix("SEAL+KEY+")), lambda path: Note(Path(path).read_bytes())
    for name, kind in zip(("--key", "--seal-key", "--copy"), (parse_key, decode, load)): parser.add_argument(name, type=kind, action="append", default=[])
    log = Log(**vars(parser.parse_args(arguments)))
    def holds(step):
        try: return step() or True
        except (Finding, InvalidSignature) as finding: findings.append(finding.args or ("a signature is not of its key", None, False))
    if holds(log.read_checkpoints) and holds(log.read_segments):
        for step in (log.check_signatures, log.check_seal, log.check_beside): holds(step)
    holds(lambda: expect(not read(log.path / "lock"), "lock: not empty"))
    reason, entry, is_open = min(findings, key=lambda finding: finding[2], default=("everything fits", None, None))
    code, verdict = {None: (0, "intact"), False: (1, "tampered"), True: (2, "unverifiable")}[is_open]
    print(verdict, *[f"first bad entry: {entry}"] * (entry is not None), f"reason: {reason}", f"checked: {'; '.join(log.basis) or 'nothing'}", sep="\n")
    return code
if __name__ == "__main__": sys.exit(main(sys.argv[1:]))
