"""Who runs on which path, and what each needs: the only place to add a rival.

A path is a kind of input and a compression asked for. All lines of one archive run in turn, so a line stands in every table that names it.
"""

import os
import shutil
from dataclasses import dataclass

HERE = os.path.dirname(os.path.abspath(__file__))


@dataclass(frozen=True)
class Line:
    name: str
    command: tuple  # {in} and {out} are filled in
    tables: tuple
    bound: bool = False  # squashes nothing: what it writes is not compared
    daemon: bool = False  # a docker daemon works for it
    why_not: str = ""  # it cannot run here


def rival(tool, how, tables, needs, note="", bound=False, daemon=False):
    missing = [program for program in needs if not shutil.which(program)]
    name = f"{tool}{f' ({note})' if note else ''}"
    command = (f"{HERE}/tools/{tool}", "{in}", "{out}", how)
    return Line(name, command, tables, bound, daemon, f"not on the PATH: {', '.join(missing)}" if missing else "")


def bounds(tables):
    return [rival(tool, "", tables, [], bound=True) for tool in ("copy", "copy-and-sync", "copy-and-hash")]


def plain(imgstrip):
    """A docker archive of plain layers, to plain layers."""
    own = lambda name, *flags: Line(name, (imgstrip, "--quiet", *flags, "{in}", "{out}"), ("plain", "presets") if "none" in flags else ("presets",), "none" not in flags)
    to = ("plain",)
    return [
        own("imgstrip --preset none", "--preset", "none"),
        own("imgstrip (default)"),
        own("imgstrip --preset all", "--preset", "all"),
        *bounds(to),
        rival("skopeo", "none", to, ["skopeo"], "no squash", bound=True),
        rival("crane-library", "none", to, ["crane-flatten"]),
        rival("ocirender", "none", to, ["ocirender-flatten", "jq", "openssl"]),
        rival("by-hand", "none", to, ["jq", "openssl"]),
        rival("oci-squash", "none", to, ["oci-squash"]),
        rival("docker-import", "none", to, ["docker", "jq"], daemon=True),
        rival("docker-squash", "none", to, ["docker-squash", "docker"], daemon=True),
        rival("umoci", "none", to, ["umoci", "skopeo", "jq"]),
        rival("buildah", "none", to, ["buildah"]),
    ]


def gzip(imgstrip):
    """An OCI archive of gzip layers: the layers' deflate kept, encoded anew, or turned into zstd."""
    own = lambda table, *flags: Line(
        " ".join(("imgstrip --preset none", *flags)), (imgstrip, "--quiet", "--preset", "none", *flags, "{in}", "{out}"), (table,))
    keep, again, zstd = "gzip", "gzip:6", "zstd:3"
    same = (keep, again)
    return [
        own(keep),
        own(again, "--compress", again),
        own(zstd, "--compress", zstd),
        *bounds((keep, again, zstd)),
        rival("skopeo", again, same, ["skopeo"], "no squash, blobs as they are", bound=True),
        rival("skopeo", zstd, (zstd,), ["skopeo"], "no squash", bound=True),
        rival("crane-library", again, same, ["crane-flatten"]),
        rival("crane-library", zstd, (zstd,), ["crane-flatten"]),
        rival("crane", again, same, ["crane"], "gzip:9 out"),
        rival("ocirender", again, same, ["ocirender-flatten", "jq", "openssl", "pigz"], "+ pigz"),
        rival("ocirender", zstd, (zstd,), ["ocirender-flatten", "jq", "openssl", "zstd"], "+ zstd"),
        rival("by-hand", again, same, ["jq", "openssl", "pigz"], "tar + pigz"),
        rival("by-hand", zstd, (zstd,), ["jq", "openssl", "zstd"], "tar + zstd"),
        rival("oci-squash", again, (keep, again, zstd), ["oci-squash"], "plain out"),
        rival("umoci", again, same, ["umoci", "skopeo", "jq"]),
        rival("buildah", again, same, ["buildah"]),
    ]


TITLES = {
    "plain": "plain layers to a plain layer",
    "presets": "imgstrip's own presets, seconds per byte written",
    "gzip": "gzip layers to a gzip layer, as each does by itself (imgstrip: `keep`)",
    "gzip:6": "gzip layers to a gzip layer, encoded anew at level 6",
    "zstd:3": "gzip layers to a zstd layer, level 3",
}
