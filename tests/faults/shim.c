/* Stands between the program and the C library, and lets chosen calls fail, come short, wait or be the last.
 *
 * In: SHIM_PATH, which files are meant, by how their path begins; SHIM_CALLS, which calls, by letters: r read, w write, t truncate,
 * s sync, n rename, o open, u unlink; SHIM_AT, the how manyth such call, 0 for all; SHIM_BYTE instead, after so many bytes;
 * SHIM_DO, what happens: an errno as a number, `short:N` for at most N bytes a call, `signal:N`, `wait:PATH` for two FIFOs.
 * Out: a byte in SHIM_LOG for each time that it happened, among the first thousand calls.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_ulong calls, bytes;

/* More would take longer than the run. */
#define MOST_NOTES 1000

static unsigned long number(const char *name) {
	const char *text = getenv(name);
	return text ? strtoul(text, NULL, 10) : 0;
}

static int is_meant(char call, const char *path) {
	const char *calls_meant = getenv("SHIM_CALLS"), *prefix = getenv("SHIM_PATH");
	return calls_meant && prefix && strchr(calls_meant, call) && strncmp(path, prefix, strlen(prefix)) == 0;
}

static int is_meant_fd(char call, int fd) {
	char link[64], path[4096];
	if (!getenv("SHIM_CALLS") || !strchr(getenv("SHIM_CALLS"), call)) return 0;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t length = syscall(SYS_readlink, link, path, sizeof path - 1);
	if (length < 0) return 0;
	path[length] = 0;
	return is_meant(call, path);
}

static void note(unsigned long now) {
	const char *path = now <= MOST_NOTES ? getenv("SHIM_LOG") : NULL;
	int fd = path ? (int)syscall(SYS_open, path, O_WRONLY | O_APPEND | O_CREAT, 0600) : -1;
	if (fd < 0) return;
	syscall(SYS_write, fd, "x", 1);
	syscall(SYS_close, fd);
}

/* Tells the test that the call is reached, and waits for it. */
static void wait_for(const char *path) {
	char name[4096], byte = 'x';
	snprintf(name, sizeof name, "%s.at", path);
	int fd = (int)syscall(SYS_open, name, O_WRONLY);
	syscall(SYS_write, fd, &byte, 1);
	syscall(SYS_close, fd);
	snprintf(name, sizeof name, "%s.go", path);
	fd = (int)syscall(SYS_open, name, O_RDONLY);
	syscall(SYS_read, fd, &byte, 1);
	syscall(SYS_close, fd);
}

/* What becomes of a call that is meant: -1 and errno, or how many of its bytes it may have. */
static ssize_t judge(size_t count) {
	const char *what = getenv("SHIM_DO");
	unsigned long at = number("SHIM_AT"), now = atomic_fetch_add(&calls, 1) + 1;
	if (!what) return (ssize_t)count;
	if (getenv("SHIM_BYTE")) {
		unsigned long most = number("SHIM_BYTE"), before = atomic_fetch_add(&bytes, count);
		if (before + count <= most) return (ssize_t)count;
		note(now);
		if (before < most) {
			atomic_store(&bytes, most);
			return (ssize_t)(most - before);
		}
		errno = atoi(what);
		return -1;
	}
	if (at && at != now) return (ssize_t)count;
	note(now);
	if (strncmp(what, "short:", 6) == 0) {
		size_t most = strtoul(what + 6, NULL, 10);
		return (ssize_t)(count < most ? count : most);
	}
	if (strncmp(what, "signal:", 7) == 0) {
		kill(getpid(), atoi(what + 7));
		return (ssize_t)count;
	}
	if (strncmp(what, "wait:", 5) == 0) {
		wait_for(what + 5);
		return (ssize_t)count;
	}
	/* As a signal does it: now and then, in no pattern that a loop could fall in with. */
	if (atoi(what) == EINTR && !at && (now * 2654435761u >> 16) % 2) return (ssize_t)count;
	errno = atoi(what);
	return -1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t read(int fd, void *to, size_t count) {
	ssize_t most = is_meant_fd('r', fd) ? judge(count) : (ssize_t)count;
	return most < 0 ? -1 : REAL(read)(fd, to, (size_t)most);
}
ssize_t pread64(int fd, void *to, size_t count, off64_t at) {
	ssize_t most = is_meant_fd('r', fd) ? judge(count) : (ssize_t)count;
	return most < 0 ? -1 : REAL(pread64)(fd, to, (size_t)most, at);
}
ssize_t write(int fd, const void *from, size_t count) {
	ssize_t most = is_meant_fd('w', fd) ? judge(count) : (ssize_t)count;
	return most < 0 ? -1 : REAL(write)(fd, from, (size_t)most);
}
ssize_t pwrite64(int fd, const void *from, size_t count, off64_t at) {
	ssize_t most = is_meant_fd('w', fd) ? judge(count) : (ssize_t)count;
	return most < 0 ? -1 : REAL(pwrite64)(fd, from, (size_t)most, at);
}
int ftruncate64(int fd, off64_t size) {
	return is_meant_fd('t', fd) && judge(0) < 0 ? -1 : REAL(ftruncate64)(fd, size);
}
int fsync(int fd) {
	return is_meant_fd('s', fd) && judge(0) < 0 ? -1 : REAL(fsync)(fd);
}
int fdatasync(int fd) {
	return is_meant_fd('s', fd) && judge(0) < 0 ? -1 : REAL(fdatasync)(fd);
}
int rename(const char *from, const char *to) {
	return is_meant('n', to) && judge(0) < 0 ? -1 : REAL(rename)(from, to);
}
int unlink(const char *path) {
	return is_meant('u', path) && judge(0) < 0 ? -1 : REAL(unlink)(path);
}
int open64(const char *path, int flags, ...) {
	va_list more;
	va_start(more, flags);
	mode_t mode = va_arg(more, mode_t);
	va_end(more);
	return is_meant('o', path) && judge(0) < 0 ? -1 : REAL(open64)(path, flags, mode);
}
