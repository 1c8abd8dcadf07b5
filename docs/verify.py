#!/usr/bin/env python3
"""Verifies a log by docs/spec/entry.md and log.md, sharing no code with `audited verify`; exit 0 intact, 1 tampered, 2 unverifiable.
Needs Python 3.11, `cryptography`, for compressed segments `zstd`, for timestamps `openssl`. Of a name that stands twice in an object the last counts."""
import argparse, base64, cryptography.exceptions, functools, hashlib, hmac, json, re, subprocess, sys
from pathlib import Path
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
ENTRY = re.compile(rb'\{"record":\{.*,"sequence":\{"number":(0|[1-9][0-9]*)(?:,"previous_hash":"([0-9a-f]{64})")?,"stream_id":"([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})"\}\}', re.DOTALL)
BYTES = "(?=.{7})((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=|[A-Za-z0-9+/][AQgw]==)?)"  # 5 or more in base64
SIGNATURE = re.compile(rf"— ([^\s\0-\x1f\x7f-\x9f+]+) {BYTES}\n")
LISTED = re.compile(rb"[^\n]*\n[^\n]*\n[^\n]*\n(?:\n(?:\xe2\x80\x94[^\n]*\n)+(?!\xe2\x80\x94|\xe2\x80?\Z)|(?!\n))")  # one of several
class Finding(ValueError): pass  # its arguments: reason, first bad entry, whether it leaves open that anything is wrong
def expect(holds, reason, entry=None, is_open=False):
    if not holds: raise Finding(reason, entry, is_open)
def sha256(data): return hashlib.sha256(data).digest()
def read(path, most=65_536):  # the bytes of a plain file; none if it is missing
    expect(not path.is_symlink() and (not path.exists() or path.is_file() and path.stat().st_size <= most), f"{path.name}: not a plain file")
    return path.read_bytes() if path.exists() else None
def parse_key(text, origin=None, entry=None, kind=b"\1"):  # name, id and public key of `<name>+<id>+base64(kind ‖ public key)`
    found = re.fullmatch(rf"([^\s\0-\x1f\x7f-\x9f+]+)\+([0-9a-f]{{8}})\+{BYTES}", str(text))
    data = base64.b64decode(found[3]) if found and origin in (None, found[1]) else b""
    expect(data[:1] == kind and len(data) == 33 and sha256(f"{found[1]}\n".encode() + data).hex()[:8] == found[2], "not a key of this log", entry)
    return found[1], bytes.fromhex(found[2]), data[1:]
class Note:  # a checkpoint with its signatures
    def __init__(self, data):
        found = re.fullmatch(rf"(([^\0-\x1f]+)\n([1-9][0-9]{{,19}})\n([A-Za-z0-9+/]{{42}}[AEIMQUYcgkosw048]=)\n)(?:\n((?:{SIGNATURE.pattern}){{1,128}}))?", data.decode(errors="replace"))
        expect(found and found[0].encode() == data and int(found[3]) < 1 << 64 and len(data) <= 65_536, "a checkpoint is malformed")
        self.data, self.text, self.origin, self.size, self.root = data, *found.group(1, 2), int(found[3]), base64.b64decode(found[4])
        self.signatures = [(name, base64.b64decode(code)) for name, code in SIGNATURE.findall(found[5] or "")]
    def check(self, key, is_cosigned=False):  # how many signatures of the key there are; each must be right
        codes = [code[4:] for name, code in self.signatures if (name, code[:4]) == key[:2]]
        sign = lambda code: (code[8:], f"cosignature/v1\ntime {int.from_bytes(code[:8])}\n{self.text}".encode()) if is_cosigned else (code, self.text.encode())
        return sum(Ed25519PublicKey.from_public_bytes(key[2]).verify(*sign(code)) is None for code in codes)
class Log:
    leaf = stream = suspect = schema = event = newest = matched = wrong = None
    def __init__(self, log, **demands):
        self.path, self.demands, self.basis, self.stack, self.rotations, self.notes = log, argparse.Namespace(**demands), [], [], [], []
        self.count, self.size, self.entry_0, self.record_0, self.heads, self.seen = 0, 0, b"", {}, {}, set()
    def anchored(self, form):  # what anchors gave for checkpoints, and how many entries these cover
        return [(path, int(path.stem)) for path in sorted(self.path.glob("anchors/*/*")) if re.search(rf"/[a-z0-9_][a-z0-9_-]{{0,63}}/[01][0-9]{{19}}[.]{form}\Z", path.as_posix())]
    def read_checkpoints(self):
        self.stamps, data, listed, at = self.anchored("tsr"), read(self.path / "checkpoint"), read(self.path / "checkpoints.log", 1 << 63), 0
        newest = self.newest = None if data is None else Note(data)
        while (match := LISTED.match(listed or b"", at)) and b"\0" not in match[0]: at = self.notes.append(Note(match[0])) or match.end()
        is_right = all(a.origin == b.origin and a.size <= b.size for a, b in zip(self.notes, self.notes[1:]))
        met, torn = [newest is not None and note.data == newest.data for note in self.notes], b""
        if True in met[:-1] and len(self.notes[-1].signatures) < len(newest.signatures): torn = self.notes.pop().data
        rest, known = (listed or b"")[at - len(torn):], self.notes + [newest] * (newest is not None)
        is_right &= len(rest) <= 65_536 and all(byte in (0, own) for byte, own in zip(rest, f"{known[0].origin if known else ''}\n".encode()))
        expect(is_right and (True in met or newest is None or listed is None) and (rest == torn or b"\0" in rest or not LISTED.match(rest)), "checkpoints.log: not what was listed")
        self.own_copies = [copy for copy in self.demands.copy if newest and copy.origin == newest.origin]
        self.imprints = {note.size: sha256(note.text.encode()) for note in known + self.own_copies}
        for note, is_copy in [(Note(data), False) for path, _ in self.anchored("note") if self.demands.witness and (data := read(path)) is not None] + [(copy, True) for copy in self.demands.copy]:
            expect(note.signatures or is_copy, "anchors: not signed")
            try: saw = [key for key in self.demands.witness if newest and note.origin == newest.origin and note.check(key, True)]
            except cryptography.exceptions.InvalidSignature: raise Finding("a cosignature is not of its witness", None, is_copy)
            if saw: known.append(self.seen.update(saw) or note)
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
            schema, event, *_ = texts = [record[name] for name in ("schema_version", "event_name", "stage", "time")]
            "".join(texts + ([] if call is None else [call["id"]])).encode()  # refuses half of a surrogate pair
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError): self.need(False, "not an entry")
        self.need(len(entry) == 2 and len(line) <= 65_535 and (self.count or schema != "1" or event == "log.opened"), "not an entry here")
        self.need(int(number) == self.count and stream == (self.stream or stream) and (previous is None) == (self.count == 0), "not the next entry")
        if schema != "1" and self.schema is None: self.schema = self.count
        self.need(self.suspect is None, "altered", self.count - 2 + (previous != self.leaf))
        if previous != self.leaf: self.suspect = self.count - 1
        if previous: self.push(previous)
        else: self.entry_0, self.record_0 = line, record
        if event == "key.rotated": self.rotations.append((self.count, (record.get("log") or {}).get("verification_key")))
        self.count, self.leaf, self.stream, self.event = self.count + 1, sha256(b"\0" + line), stream, event
    def read_segments(self):
        names = {path: re.fullmatch(r"([0-9]{20})\.jsonl(\.zst(\.tmp)?)?", path.name) for path in (self.path / "segments").glob("*")}
        expect(all(name and path.is_file() and not path.is_symlink() for path, name in names.items()), "segments: others, too")
        plain, tail = [path for path, name in names.items() if not name[2]], b""
        for path in sorted(path for path, name in names.items() if not name[3] and (path in plain or path.with_suffix("") not in plain)):
            self.need(not tail and int(path.name[:20]) == self.count, "not where the segment before ends")
            unpacked = subprocess.run([*(["cat"] if path in plain else ["zstd", "-dcq"]), path], capture_output=True)
            self.need(unpacked.returncode == 0, "its segment cannot be unpacked")
            *lines, tail = unpacked.stdout.split(b"\n")
            for line in lines: self.read_line(line)
            self.need(len(tail.rstrip(b"\0")) <= 65_535, "not a line")
        if self.count: self.push(self.leaf)
        self.need(self.suspect is None, "altered", self.count - 2 + (not self.matched or bool(self.wrong)))
        self.need(not self.wrong and self.count >= max(self.heads, default=0), "missing, or not what a checkpoint covers")
        self.need(self.event != "log.closed" or all(a == b for a, b in zip(tail.rstrip(b"\0"), b'{"record":{"action":"log.opened",')), "follows the end")
        expect(self.schema is None, f"entry {self.schema} is of another schema", None, True)
        self.basis.append(f"chain of {self.count} entries, {len(self.heads)} roots, {len(self.own_copies)} copies, {len(self.seen)} witnesses")
    def check_signatures(self):
        log, annotations = (self.record_0.get(group) or {} for group in ("log", "annotations"))
        first, identity = (text and parse_key(text, log.get("origin"), 0) for text in (log.get("verification_key"), annotations.get("identity_key")))
        epochs, epoch, own = [(0, log.get("verification_key")), *self.rotations], 0, [key for key in self.demands.key if self.newest and key[0] == self.newest.origin]
        for note in self.notes if first and self.newest else []:
            for key in filter(None, [parse_key(epochs[epoch][1], first[0], epochs[epoch][0]), identity]):
                expect(note.check(key), f"the checkpoint of {note.size} entries: no signature of the key of epoch {epoch}")
            while epoch + 1 < len(epochs) and epochs[epoch + 1][0] < note.size: epoch += 1
        expect(not first or not own or first in own or identity in own, "states another key than the one that was given", 0)
        expect((self.notes or not first or not self.newest) and (own and first or not self.demands.key), "no signatures, no list of checkpoints, or no key of the log's name was given", None, True)
        self.basis += [f"{len(self.notes)} signatures of {epoch + 1} epochs, {len(own)} keys pinned"] * bool(first)
    def check_seal(self):
        data, lengths, value = read(self.path / "seal"), [len(note.data) for note in self.notes], bytes(32)
        seal = data and re.fullmatch(rb"audited seal 1\n(0|[1-9][0-9]*)\n(0|[1-9][0-9]*)\n([0-9a-f]{64})\n[0-9a-f]{64}\n", data)
        expect(data is None or seal and int(seal[1]) <= len(lengths) and int(seal[2]) <= sum(lengths), "seal: not one, or the list is cut")
        for key in self.demands.seal_key:
            expect(data is not None, "seal: missing", None, True)
            for index, note in enumerate(self.notes[:int(seal[1])]):
                value, key = hmac.digest(key, index.to_bytes(8) + value + note.size.to_bytes(8) + note.root, "sha256"), sha256(b"evolve/v1" + key)
            expect((value.hex().encode(), sum(lengths[:int(seal[1])])) == (seal[3], int(seal[2])), "seal: not of these notes")
            self.basis.append(f"seal over {int(seal[1])} checkpoints, {len(lengths) - int(seal[1])} beyond it")
    def check_beside(self):
        origin, copy, demands = (self.record_0.get("log") or {}).get("origin"), read(self.path / "log.json"), self.demands
        is_of_log = not self.entry_0 or isinstance(origin, str) and (not self.newest or self.newest.origin == origin)
        expect(is_of_log and copy in (None, self.entry_0 + b"\n"), "entry 0, checkpoint, log.json: not of one log", None if self.entry_0 and isinstance(origin, str) else 0)
        expect(all(re.fullmatch("[0-9a-f]{64}[.][0-9]+[.]tmp", path.name) or sha256(read(path, 1 << 24)).hex() == path.name for path in (self.path / "blobs").glob("*")), "blobs: altered")
        expect(copy and self.entry_0 and self.newest and (self.own_copies or not demands.copy), "missing: log.json, checkpoint, all entries, or a copy of this log", None, True)
        expect(len(self.seen) == len(demands.witness) and (self.stamps or not demands.tsa_ca), "anchors: not cosigned by a quorum, or no timestamp", None, True)
        for path, imprint, data in [(path, self.imprints.get(size, b""), data) for path, size in self.stamps if (data := read(path)) is not None]:
            expect(imprint and data[:2] == b"0\x82" and int.from_bytes(data[2:4]) == len(data) - 4 and b"\4\x20" + imprint in data, f"{path.name}: not of its checkpoint", None, True)
            codes = [subprocess.run(["openssl", "ts", "-verify", "-in", path, "-digest", imprint.hex(), "-CAfile", ca], capture_output=True).returncode for ca in demands.tsa_ca]
            expect(not any(codes), f"{path.name}: not verified by openssl", None, True)
def main(arguments):
    parser, findings = argparse.ArgumentParser(), []
    parser.add_argument("log", type=Path)
    decode, load, cosigner = lambda text: base64.b64decode(text.removeprefix("SEAL+KEY+")), lambda path: Note(Path(path).read_bytes()), functools.partial(parse_key, kind=b"\4")
    for name, kind in zip(("--key", "--seal-key", "--copy", "--witness", "--tsa-ca"), (parse_key, decode, load, cosigner, Path)): parser.add_argument(name, type=kind, action="append", default=[])
    log = Log(**vars(parser.parse_args(arguments)))
    def holds(step):
        try: return step() or True
        except (Finding, cryptography.exceptions.InvalidSignature) as finding: findings.append(finding.args or ("a signature is not of its key", None, False))
        except FileNotFoundError as missing: findings.append((str(missing), None, True))  # a program
    for step in (log.read_checkpoints, log.read_segments, log.check_signatures, log.check_seal, log.check_beside):
        if not holds(step) and step in (log.read_checkpoints, log.read_segments): break
    holds(lambda: expect(not read(log.path / "lock"), "lock: not empty"))
    reason, entry, is_open = min(findings, key=lambda finding: finding[2], default=("everything fits", None, None))
    code, verdict = {None: (0, "intact"), False: (1, "tampered"), True: (2, "unverifiable")}[is_open]
    return print(verdict, *[f"first bad entry: {entry}"] * (entry is not None), f"reason: {reason}", f"checked: {'; '.join(log.basis) or 'nothing'}", sep="\n") or code
if __name__ == "__main__": sys.exit(main(sys.argv[1:]))
