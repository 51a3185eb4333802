"""Lists tars as libarchive reads them, whose shell bsdtar is. In: a path a line. Out: the lines of listing.rs."""
import ctypes, hashlib, locale, sys

locale.setlocale(locale.LC_ALL, "C.UTF-8")
lib = ctypes.CDLL("libarchive.so.13")
P, I, L, B = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64, ctypes.c_char_p


def declare(result, *names):
    for name in names:
        function = getattr(lib, name)
        function.restype, function.argtypes = result, [P]


declare(P, "archive_entry_symlink", "archive_entry_hardlink", "archive_entry_pathname")
declare(B, "archive_entry_uname", "archive_entry_gname", "archive_error_string")
declare(I, "archive_entry_filetype", "archive_entry_perm", "archive_entry_xattr_reset", "archive_entry_mtime_nsec",
        "archive_entry_size_is_set", "archive_read_free", "archive_read_support_filter_all", "archive_read_support_format_all")
declare(L, "archive_entry_uid", "archive_entry_gid", "archive_entry_mtime", "archive_entry_size",
        "archive_entry_rdevmajor", "archive_entry_rdevminor")
lib.archive_read_new.restype, lib.archive_version_string.restype = P, B
lib.archive_read_open_filename.argtypes = [P, B, ctypes.c_size_t]
lib.archive_read_next_header.argtypes = [P, ctypes.POINTER(P)]
lib.archive_read_data.argtypes, lib.archive_read_data.restype = [P, P, ctypes.c_size_t], ctypes.c_ssize_t
lib.archive_entry_xattr_next.argtypes = [P, ctypes.POINTER(B), ctypes.POINTER(P), ctypes.POINTER(ctypes.c_size_t)]
KINDS = {0o100000: "f", 0o120000: "l", 0o020000: "c", 0o060000: "b", 0o040000: "d", 0o010000: "p"}
EOF, OK, WARN = 1, 0, -20
buffer = ctypes.create_string_buffer(1 << 16)


class Refused(Exception):
    pass


def text(pointer):
    # A name of several megabytes is none of ours.
    return ctypes.string_at(pointer) if pointer else b""


def attributes(entry):
    found = []
    lib.archive_entry_xattr_reset(entry)
    name, value, size = B(), P(), ctypes.c_size_t()
    while lib.archive_entry_xattr_next(entry, name, value, size) == OK:
        data = ctypes.string_at(value, size.value) if size.value else b""
        found.append(name.value.hex() + "=" + data.hex())
    return ",".join(sorted(found))


def data(archive, parts):
    left = 1 << 24
    while left > 0:
        read = lib.archive_read_data(archive, buffer, len(buffer))
        if read < 0:
            raise Refused(text_of_error(archive))
        if read == 0:
            return True
        left -= read
        parts.append(buffer.raw[:read])
    return False


def text_of_error(archive):
    return (lib.archive_error_string(archive) or b"?").decode("utf-8", "replace")


def show(path, archive, out):
    lib.archive_read_support_filter_all(archive)
    lib.archive_read_support_format_all(archive)
    if lib.archive_read_open_filename(archive, path.encode(), 10240) != OK:
        raise Refused(text_of_error(archive))
    whole, entry = hashlib.sha256(), P()
    while True:
        status = lib.archive_read_next_header(archive, entry)
        if status == EOF:
            break
        if status != OK:  # bsdtar ends with an error after a warning, too
            raise Refused(text_of_error(archive))
        kind = KINDS.get(lib.archive_entry_filetype(entry), "?")
        hard = lib.archive_entry_hardlink(entry)
        kind, link = ("h", text(hard)) if hard else (kind, text(lib.archive_entry_symlink(entry)))
        size = digest = device = "-"
        if kind == "f":
            parts, size = [], lib.archive_entry_size(entry) if lib.archive_entry_size_is_set(entry) else "none"
            digest = "big"
            if data(archive, parts):
                digest = hashlib.sha256(b"".join(parts)).hexdigest()
            whole.update(b"".join(parts))
        if kind in "cb":
            device = f"{lib.archive_entry_rdevmajor(entry)},{lib.archive_entry_rdevminor(entry)}"
        mode = f"{lib.archive_entry_perm(entry) & 0o7777:o}"
        owner = f"{lib.archive_entry_uid(entry)}:{lib.archive_entry_gid(entry)}"
        time = f"{lib.archive_entry_mtime(entry)}.{lib.archive_entry_mtime_nsec(entry):09d}"
        names = [(name or b"").hex() for name in (lib.archive_entry_uname(entry), lib.archive_entry_gname(entry))]
        print(kind, mode, owner, time, size, text(lib.archive_entry_pathname(entry)).hex(), link.hex(), ":".join(names), device,
              digest, attributes(entry), sep="\t", file=out)
    print("#", whole.hexdigest(), sep="\t", file=out)


for line in sys.stdin:
    path = line.rstrip("\n")
    print("=", path, sep="\t")
    archive = lib.archive_read_new()
    archive = P(archive)
    try:
        show(path, archive, sys.stdout)
    except Refused as error:
        print("!", str(error).encode().hex(), sep="\t")
    finally:
        lib.archive_read_free(archive)
