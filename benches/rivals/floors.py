"""What a run cannot be faster than on this machine: small probes beside the rivals, in the same rounds, and a sum over the bytes that must be touched.

Rates are bytes a second of one core. hash: `openssl dgst -sha256` of the input, reading included; write: `dd` of zeros to a new file in pieces of 1 MiB,
left in the page cache; inflate: igzip on the largest gzip layer, the fastest streaming decoder that Debian has; deflate: libdeflate-gzip -6,
zstd: zstd -3, both of the merged layer on one core. So every floor here is a little lower than a program could reach that also parses.

With I the stored input, U all its layers unpacked, L the merged layer unpacked, O the output:
    plain -> plain          I/hash + O/hash + O/write                                                  and in series O/hash
    gzip -> gzip, kept      I/hash + U/inflate + U/hash + L/hash + O/hash + O/write                     and in series the largest layer / inflate
    gzip -> gzip:6, zstd:3  the same + L/deflate or L/zstd                                              and in series the same
The floor in wall seconds is the larger of the sum divided by the cores, and what is in series. Where the output of plain -> plain is synced to the disk,
that time comes on top; `copy-and-sync` beside `copy` shows it.
"""

import os
import shutil

# name -> the command; {largest} is the input's largest layer, {layer} the merged one, plain; bytes stand in `sizes`.
COMMANDS = {
    "hash": "openssl dgst -sha256 {in} >/dev/null",
    "write": "dd if=/dev/zero of={out} bs=1M count={mebibytes} status=none",
    "inflate": "igzip -d -c {largest} >/dev/null",
    "deflate": "libdeflate-gzip -6 -c {layer} >/dev/null",
    "zstd": "zstd -q -3 --single-thread -c {layer} >/dev/null",
}


def probes(kind):
    names = ("hash", "write") if kind == "plain" else tuple(COMMANDS)
    return [name for name in names if shutil.which(COMMANDS[name].split()[0])]


def floor(table, sizes, rates, output):
    """(processor seconds, wall seconds) for an output of so many bytes, or None without all probes."""
    encoder = {"gzip:6": "deflate", "zstd:3": "zstd"}.get(table)
    needed = ["hash", "write"] + ([] if table == "plain" else ["inflate"]) + ([encoder] if encoder else [])
    if any(name not in rates for name in needed):
        return None
    hashes, series = sizes["input"] + output, output / rates["hash"]
    cpu = output / rates["write"]
    if table != "plain":
        hashes += sizes["unpacked"] + sizes["merged"]
        cpu += sizes["unpacked"] / rates["inflate"]
        series = sizes["largest"] / rates["inflate"]
    if encoder:
        cpu += sizes["merged"] / rates[encoder]
    cpu += hashes / rates["hash"]
    return cpu, max(cpu / (os.cpu_count() or 1), series)
