"""Lists tars as Python's tarfile reads them. In: a path a line. Out: the lines of listing.rs."""
import hashlib, math, sys, tarfile

KINDS = {b"0": "f", b"\0": "f", b"7": "f", b"S": "f", b"1": "h", b"2": "l", b"3": "c", b"4": "b", b"5": "d", b"6": "p"}


def raw(text):
    return text.encode("utf-8", "surrogateescape").hex()


def show(path, out):
    whole = hashlib.sha256()
    with tarfile.open(path, "r:", encoding="utf-8", errors="surrogateescape") as tar:
        for entry in tar:
            math.floor(entry.mtime)  # no number, no time
            kind = KINDS.get(entry.type, "?" + entry.type.hex())
            size = digest = device = "-"
            if kind == "f":
                size, digest = entry.size, "big"
                if entry.size <= 1 << 24:
                    data = tar.extractfile(entry).read()
                    if len(data) != entry.size:
                        raise tarfile.ReadError("unexpected end of data")
                    whole.update(data)
                    digest = hashlib.sha256(data).hexdigest()
            link = entry.linkname if kind in "lh" else ""
            if kind in "cb":
                device = f"{entry.devmajor},{entry.devminor}"
            time = f"~{entry.mtime!r}" if isinstance(entry.mtime, float) else f"{entry.mtime}.{0:09d}"
            attributes = sorted(
                raw(key[len("SCHILY.xattr."):]) + "=" + raw(value)
                for key, value in entry.pax_headers.items() if key.startswith("SCHILY.xattr."))
            print(kind, f"{entry.mode & 0o7777:o}", f"{entry.uid}:{entry.gid}", time, size,
                  raw(entry.name), raw(link), raw(entry.uname) + ":" + raw(entry.gname), device, digest, ",".join(attributes),
                  sep="\t", file=out)
        print("#", whole.hexdigest(), sep="\t", file=out)


for line in sys.stdin:
    print("=", line.rstrip("\n"), sep="\t")
    try:
        show(line.rstrip("\n"), sys.stdout)
    except Exception as error:  # every way in which it refuses
        print("!", f"{type(error).__name__}: {error}".encode("utf-8", "surrogateescape").hex(), sep="\t")
