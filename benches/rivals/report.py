"""The tables, as text or as Markdown, and the frame that says on what machine they were measured."""

import os
import platform
import subprocess
from datetime import date
from statistics import median

import floors
import plan

HEAD = ["", "n", "wall s", "min-max", "× imgstrip", "CPU s", "memory MB", "disk MB", "output MB", "right?"]
VERSIONS = {
    "skopeo": "skopeo --version", "umoci": "umoci --version", "buildah": "buildah --version", "docker": "docker version -f {{.Server.Version}}",
    "docker-squash": "docker-squash --version", "oci-squash": "pip show oci-squash", "ocirender": "ocirender-flatten --version", "crane": "crane version",
    "tar": "tar --version", "pigz": "pigz --version", "zstd": "zstd --version", "openssl": "openssl version", "igzip": "igzip --version",
    "libdeflate-gzip": "libdeflate-gzip -V",
}


def frame(imgstrip, command, bin_dir):
    def output(words):
        try:
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            return (done.stdout.strip() or done.stderr.strip()).split("\n")[0]
        except OSError:
            return ""

    def field(path, key):
        with open(path) as file:
            return next((line.split(":", 1)[1].strip() for line in file if line.startswith(key)), "unknown")

    rows = [
        ("date", date.today().isoformat()),
        ("processor", f"{field('/proc/cpuinfo', 'model name')}, {os.cpu_count()} cores"),
        ("memory", f"{int(field('/proc/meminfo', 'MemTotal').split()[0]) / 1e6:.0f} GB"),
        ("kernel", platform.release()),
        ("file system", output(["findmnt", "-no", "FSTYPE,OPTIONS", "-T", os.environ["TMPDIR"]])),
        ("imgstrip", output([imgstrip, "--version"])),
        ("command", f"`{command}`"),
    ]
    rows += [(name, line) for name, words in VERSIONS.items() if (line := output(words.split())) and name not in ("ocirender", "oci-squash")]
    rows += [("ocirender", "0.3.0"), ("oci-squash", "0.1.0")]
    return [f"- {name}: {value}" for name, value in rows]


def megabytes(count):
    return f"{count / 1e6:.0f}"


def seconds(value):
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def counted(line):
    """Its runs, or the warm-up where no other was asked for."""
    return line.runs or [line.first]


def row(line, base):
    if line.failed:
        return [line.plan.name, "-", "-", "-", "-", "-", "-", "-", "-", line.failed]
    walls = [run.wall for run in counted(line)]
    wall, cpu = median(walls), median(run.cpu for run in counted(line))
    memory, disk = max(run.memory for run in counted(line)), max(run.disk for run in counted(line))
    cpu_text, memory_text = seconds(cpu), megabytes(memory)
    if line.plan.daemon:
        cpu_text += f" + {seconds(median(run.daemon_cpu for run in counted(line)))} daemon"
        memory_text += f" + {megabytes(max(run.daemon_memory for run in counted(line)))} daemon"
    return [
        line.plan.name, str(len(line.runs)), seconds(wall), f"{seconds(min(walls))}-{seconds(max(walls))}", f"{wall / base:.2f}" if base else "-",
        cpu_text, memory_text, megabytes(max(0, disk - line.output)), megabytes(line.output), line.right,
    ]


def table(head, rows, markdown):
    if markdown:
        lines = [" | ".join(head), " | ".join(["---"] + ["---:"] * (len(head) - 2) + ["---"])] + [" | ".join(row) for row in rows]
        return "\n".join(f"| {line} |" for line in lines)
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    return "\n".join("  ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in list(zip(row, widths))[1:-1]), row[-1]]).rstrip()
                     for row in [head, *rows])


def tables(archive, lines, rates, sizes, markdown):
    """All tables of one archive."""
    title, subtitle = ("## ", "### ") if markdown else ("== ", "-- ")
    layers = f"{sizes['layers']} layers of {megabytes(sizes['unpacked'])} MB unpacked, merged {megabytes(sizes['merged'])} MB"
    text = [f"{title}{archive}: {megabytes(sizes['input'])} MB, {layers}",
            "Probes, MB a second: " + ", ".join(f"{name} {megabytes(rate)}" for name, rate in rates.items())]
    for name in dict.fromkeys(name for line in lines for name in line.plan.tables):
        members = [line for line in lines if name in line.plan.tables]
        own = next((line for line in members if line.plan.name.startswith("imgstrip") and not line.failed), None)
        base = median(run.wall for run in counted(own)) if own else None
        text.append(f"{subtitle}{plan.TITLES[name]}")
        if name == "presets":
            text.append(presets(members, markdown))
            continue
        able = sorted((line for line in members if not line.plan.why_not), key=lambda line: bool(line.failed))
        text.append(table(HEAD, [row(line, base) for line in able], markdown))
        text += [f"{line.plan.name}: not measured, {line.plan.why_not}" for line in members if line.plan.why_not]
        if base and (least := floors.floor(name, sizes, rates, own.output)):
            cpu = median(run.cpu for run in counted(own))
            text.append(f"Floor: {seconds(least[1])} s wall, {seconds(least[0])} s CPU. imgstrip is at {base / least[1]:.2f} of the wall, {cpu / least[0]:.2f} of the CPU.")
    return "\n\n".join(text)


def presets(members, markdown):
    rows, base = [], None
    for line in members:
        if line.failed:
            rows.append([line.plan.name, "-", "-", "-", "-", line.failed])
            continue
        wall = median(run.wall for run in counted(line))
        rate = wall / line.output * 1e9
        base = base or rate
        rows.append([line.plan.name, seconds(wall), megabytes(line.output), f"{rate:.2f}", f"{rate / base:.2f}", megabytes(max(run.memory for run in counted(line)))])
    return table(["", "wall s", "output MB", "s/GB written", "× none", "memory MB"], rows, markdown)
