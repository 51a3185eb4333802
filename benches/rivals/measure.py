"""One command, measured: wall and processor time, peak memory, most disk in use. Knows nothing of images.

Memory is the resident memory of the command and all its descendants in sum, read from /proc every 20 ms, or the high-water mark of any one of them where
that is more: a peak shorter than 20 ms in several processes at once is missed, and pages that two processes share count twice.
A daemon's share (its processor time over the run, its peak in excess of what it had before) is measured apart.
Disk is the growth of the file system, deleted files that are still open included; whoever else writes to it meanwhile is counted too.
"""

import os
import subprocess
import threading
import time
from dataclasses import dataclass

TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Run:
    wall: float
    cpu: float
    memory: int
    disk: int
    daemon_cpu: float = 0.0
    daemon_memory: int = 0


def tree(root):
    """The process and all its descendants that are alive."""
    found, queue = [], [root]
    while queue:
        pid = queue.pop()
        found.append(pid)
        try:
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/children") as children:
                    queue += [int(child) for child in children.read().split()]
        except OSError:
            pass
    return found


def memory(pids):
    """Their resident bytes in sum, and the largest high-water mark among them."""
    total = high = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/status") as status:
                fields = dict(line.split(":", 1) for line in status)
        except OSError:
            continue
        total += int(fields.get("VmRSS", "0 kB").split()[0]) * 1024
        high = max(high, int(fields.get("VmHWM", "0 kB").split()[0]) * 1024)
    return total, high


def processor(pids):
    """Seconds that they and the children they waited for have used."""
    ticks = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat") as stat:
                ticks += sum(int(field) for field in stat.read().rsplit(")", 1)[1].split()[11:15])
        except OSError:
            pass
    return ticks / TICK


class Sampler(threading.Thread):
    def __init__(self, pid, daemon, folder):
        super().__init__(daemon=True)
        self.pid, self.daemon_pid, self.folder = pid, daemon, folder
        self.memory = self.disk = self.daemon_memory = 0
        self.used = self.usage()
        self.ended = threading.Event()

    def usage(self):
        fs = os.statvfs(self.folder)
        return (fs.f_blocks - fs.f_bfree) * fs.f_frsize

    def run(self):
        while True:
            self.memory = max(self.memory, *memory(tree(self.pid)))
            self.disk = max(self.disk, self.usage() - self.used)
            if self.daemon_pid:
                self.daemon_memory = max(self.daemon_memory, memory(tree(self.daemon_pid))[0])
            if self.ended.wait(0.02):
                return


def run(command, folder, env, daemon=None):
    """Runs the command in the folder; raises where it fails. `daemon` is the process id of one that works for it."""
    # What runs before left pages to write; they must not slow this one.
    os.sync()
    before = processor(tree(daemon)) if daemon else 0
    resting = memory(tree(daemon))[0] if daemon else 0
    with open(f"{folder}/.log", "wb") as log:
        start = time.perf_counter()
        child = subprocess.Popen(command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        sampler = Sampler(child.pid, daemon, folder)
        sampler.start()
        _, status, used = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
    sampler.disk = max(sampler.disk, sampler.usage() - sampler.used)
    sampler.ended.set()
    sampler.join()
    if child.returncode:
        with open(f"{folder}/.log", errors="replace") as log:
            raise RuntimeError(f"exit code {child.returncode}: {log.read()[-600:].strip()}")
    result = Run(wall, used.ru_utime + used.ru_stime, sampler.memory, sampler.disk)
    if daemon:
        result.daemon_cpu = processor(tree(daemon)) - before
        result.daemon_memory = max(0, sampler.daemon_memory - resting)
    return result
