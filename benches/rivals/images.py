"""Two image archives compared, by Python's own tarfile: the judge of the rivals and of imgstrip, sharing no code with either.

Reads docker archives and OCI archives of one image, layers plain, gzip or zstd. An image is merged by the rules of the OCI layer format: whiteouts
hide what lower layers gave; a hard link is a further name of an inode. What is compared: paths, types, modes, owners, times to the
nanosecond where there are any, device numbers, link targets, hard-link groups, extended attributes, content (SHA-256); and of the config what a
container is started with.
"""

import hashlib
import json
import posixpath
import shutil
import subprocess
import tarfile
import threading
from collections import Counter
from dataclasses import dataclass, field

CONFIG = ("Env", "Entrypoint", "Cmd", "WorkingDir", "User", "ExposedPorts", "Volumes", "StopSignal", "Shell", "Healthcheck", "Labels", "OnBuild")
PROBES = {b"\x1f\x8b": ["gzip", "-dc"], b"\x28\xb5\x2f\xfd": ["zstd", "-dcq"]}


@dataclass(eq=False)
class Node:
    kind: bytes
    mode: int
    owner: tuple
    mtime: str
    target: str
    device: tuple
    xattrs: dict
    content: str = ""
    children: dict = field(default_factory=dict)


@dataclass
class Image:
    root: Node
    config: dict
    layer_bytes: list  # of each layer: (stored, unpacked)


def load(path):
    """The image of an archive, merged."""
    with tarfile.open(path, "r:") as outer:
        members = {posixpath.normpath(member.name): member for member in outer}
        config, layers = locate(outer, members)
        root = directory()
        sizes = [apply(root, outer, members, name) for name in layers]
    return Image(root, config, sizes)


def open_member(outer, members, name):
    member = members[name]
    while member.issym():  # docker save before 25 keeps a layer that is used twice as a symlink
        name = posixpath.normpath(posixpath.join(posixpath.dirname(name), member.linkname))
        member = members[name]
    return outer.extractfile(member), member.size


def locate(outer, members):
    """The config, and the names of the layers' members, base first."""
    def read(name):
        return json.load(open_member(outer, members, name)[0])

    def blob(descriptor):
        return "blobs/" + descriptor["digest"].replace(":", "/")

    if "manifest.json" in members:
        entry, = read("manifest.json")
        return read(entry["Config"]), entry["Layers"]
    descriptor, = read("index.json")["manifests"]
    manifest = read(blob(descriptor))
    return read(blob(manifest["config"])), [blob(layer) for layer in manifest["layers"]]


class Counted:
    """A stream for reading that knows how many bytes went through."""

    def __init__(self, stream):
        self.stream, self.count = stream, 0

    def read(self, size=-1):
        data = self.stream.read(size)
        self.count += len(data)
        return data


def apply(root, outer, members, name):
    """Lays a layer over the tree. Whiteouts act first, whatever their place: they never hide their own layer."""
    whiteouts = []
    each_entry(outer, members, name, lambda tar, entry, path: whiteouts.append(path) if path[-1:] and path[-1].startswith(".wh.") else None)
    for *parents, last in whiteouts:
        parent = find(root, parents)
        if parent and last == ".wh..wh..opq":
            parent.children.clear()
        elif parent:
            parent.children.pop(last[4:], None)
    return each_entry(outer, members, name, lambda tar, entry, path: add(root, tar, entry, path))


def each_entry(outer, members, name, visit):
    stored, size = open_member(outer, members, name)
    probe = stored.read(4)
    stored.seek(0)
    unpacker = next((command for magic, command in PROBES.items() if probe.startswith(magic)), None)
    child = subprocess.Popen(unpacker, stdin=subprocess.PIPE, stdout=subprocess.PIPE) if unpacker else None
    if child:
        threading.Thread(target=lambda: (shutil.copyfileobj(stored, child.stdin, 1 << 20), child.stdin.close()), daemon=True).start()
    stream = Counted(child.stdout if child else stored)
    with tarfile.open(fileobj=stream, mode="r|", bufsize=1 << 20, encoding="utf-8", errors="surrogateescape") as tar:
        for entry in tar:
            # The stream cannot seek back; a list of all entries would only cost memory.
            tar.members = []
            visit(tar, entry, tuple(part for part in entry.name.split("/") if part not in ("", ".")))
    while stream.read(1 << 20):
        pass
    if child and child.wait():
        raise ValueError(f"{name}: {unpacker[0]} failed")
    return size, stream.count


def find(root, path):
    node = root
    for part in path:
        node = node.children.get(part)
        if node is None:
            return None
    return node


def directory():
    return Node(tarfile.DIRTYPE, 0o755, (0, 0), "0", "", (0, 0), {})


def add(root, tar, entry, path):
    if path and path[-1].startswith(".wh."):
        return
    *parents, last = path or (None,)
    parent = root
    for part in parents:
        parent = parent.children.setdefault(part, directory())
    if entry.islnk():
        target = find(root, [part for part in entry.linkname.split("/") if part not in ("", ".")])
        if target is None:
            raise ValueError(f"{entry.name}: a hard link to {entry.linkname}, which is not there")
        parent.children[last] = target
        return
    node = Node(
        tarfile.REGTYPE if entry.isreg() else entry.type,
        entry.mode & 0o7777,
        (entry.uid, entry.gid),
        seconds(entry.pax_headers.get("mtime", str(entry.mtime))),
        entry.linkname if entry.issym() else "",
        (entry.devmajor, entry.devminor) if entry.ischr() or entry.isblk() else (0, 0),
        {key: value for key, value in entry.pax_headers.items() if key.startswith("SCHILY.xattr.")},
    )
    if entry.isreg():
        content, digest = tar.extractfile(entry), hashlib.sha256()
        while data := content.read(1 << 20):
            digest.update(data)
        node.content = digest.hexdigest()
    if last is None:
        node.children = root.children
        root.__dict__.update(node.__dict__)
        return
    before = parent.children.get(last)
    if entry.isdir() and before and before.kind == tarfile.DIRTYPE:
        node.children = before.children
    parent.children[last] = node


def seconds(text):
    """A time as one text, whichever way it was written."""
    whole, _, part = text.partition(".")
    part = part.rstrip("0")
    return f"{whole}.{part}" if part else whole


def flatten(root):
    """path -> node, and path -> the first of all names of its inode."""
    paths, first = {}, {}
    queue = [("", root)]
    while queue:
        path, node = queue.pop()
        paths[path] = node
        queue += [(f"{path}/{name}", child) for name, child in node.children.items()]
    for path in sorted(paths):
        first.setdefault(id(paths[path]), path)
    return paths, {path: first[id(node)] for path, node in paths.items()}


def differences(a, b):
    """What kinds of things differ and how often, with an example of each; empty where the images are the same."""
    counts, example = Counter(), {}

    def note(kind, path):
        counts[kind] += 1
        example.setdefault(kind, path or "/")

    (left, left_links), (right, right_links) = flatten(a.root), flatten(b.root)
    for path in sorted(left.keys() | right.keys()):
        one, two = left.get(path), right.get(path)
        if two is None:
            note("paths missing", path)
        elif one is None:
            note("paths too many", path)
        elif path == "" and "0" in (one.mtime, two.mtime):
            continue  # no layer names the root directory; an engine makes one up
        elif one.kind != two.kind:
            note("types", path)
        else:
            checks = {
                "modes": one.mode != two.mode,
                "owners": one.owner != two.owner,
                "link targets": one.target != two.target,
                "devices": one.device != two.device,
                "xattrs": one.xattrs != two.xattrs,
                "contents": one.content != two.content,
                "hard links": left_links[path] != right_links[path],
            }
            # The root directory's time is its engine's: no later layer names it, whatever is made in it.
            if path and one.mtime != two.mtime:
                checks["times" if one.mtime.split(".")[0] != two.mtime.split(".")[0] else "fractions of a second"] = True
            for kind, differs in checks.items():
                if differs:
                    note(kind, path)
    result = [f"{count} {kind} ({example[kind]})" for kind, count in counts.most_common()]
    ours, theirs = a.config.get("config") or {}, b.config.get("config") or {}
    lost = [key for key in CONFIG if (ours.get(key) or None) != (theirs.get(key) or None)]
    if lost:
        result.append("config: " + ", ".join(lost))
    return result


if __name__ == "__main__":
    import sys
    found = differences(load(sys.argv[1]), load(sys.argv[2]))
    print("\n".join(found) or "the same")
    sys.exit(bool(found))
