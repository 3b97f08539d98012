/* Loaded into the daemon by LD_PRELOAD: makes the storage fail, ends the process at a given step of a write, and moves
 * the wall clock. What to do stands in a small file that the test maps as well (shim.py); all zero: nothing.
 * Only files below FAULTS_ROOT are touched. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

enum { NEVER, BEFORE_WRITE, HALF_WRITTEN, WRITTEN, FLUSHED };

struct control {
    int32_t flush_errno;  /* fsync and fdatasync fail with it, without flushing */
    int32_t write_errno;  /* so do writes, */
    int32_t open_errno;   /* and opening for writing */
    int32_t die_at;       /* a step of the enum, */
    int32_t die_after;    /* so many of these steps later (1: the next one) */
    int32_t failed;       /* how many calls were made to fail */
    int32_t hangs;        /* writes, flushes and opening for writing wait until this is zero again */
    int64_t clock_s;      /* added to the wall clock; the monotonic one is untouched */
};

static struct control none, *control = &none;
static char root[PATH_MAX];

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("FAULTS_CONTROL"), *below = getenv("FAULTS_ROOT");
    int fd = path && below ? (int)open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *map = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (map == MAP_FAILED)
        return;
    snprintf(root, sizeof root, "%s", below);
    control = map;
}

static void *next(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (!found)
        abort();
    return found;
}

#define REAL(type, name, ...) ((type(*)(__VA_ARGS__))next(#name))

static int is_below(const char *path)
{
    size_t length = strlen(root);
    return length && !strncmp(path, root, length);
}

static int is_ours(int fd)
{
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return is_below(path);
}

static int fails(int code)
{
    __atomic_fetch_add(&control->failed, 1, __ATOMIC_SEQ_CST);
    errno = code;
    return -1;
}

/* As on a disk that does not answer. */
static void hang(void)
{
    while (control->hangs)
        usleep(1000);
}

static void step(int now)
{
    if (control->die_at == now && __atomic_sub_fetch(&control->die_after, 1, __ATOMIC_SEQ_CST) == 0)
        kill(getpid(), SIGKILL);
}

static ssize_t write_at(int fd, const void *data, size_t size, off64_t offset)
{
    ssize_t (*real)(int, const void *, size_t, off64_t) = next("pwrite64");
    if ((!control->write_errno && !control->die_at && !control->hangs) || !is_ours(fd))
        return real(fd, data, size, offset);
    hang();
    if (control->write_errno)
        return fails(control->write_errno);
    step(BEFORE_WRITE);
    if (control->die_at == HALF_WRITTEN && control->die_after == 1)
        real(fd, data, size / 2, offset);
    step(HALF_WRITTEN);
    ssize_t written = real(fd, data, size, offset);
    step(WRITTEN);
    return written;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) { return write_at(fd, data, size, offset); }
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) { return write_at(fd, data, size, offset); }

ssize_t write(int fd, const void *data, size_t size)
{
    if (control->hangs && is_ours(fd))
        hang();
    if (control->write_errno && is_ours(fd))
        return fails(control->write_errno);
    return REAL(ssize_t, write, int, const void *, size_t)(fd, data, size);
}

static int flush(int fd, const char *name)
{
    int (*real)(int) = next(name);
    if ((!control->flush_errno && !control->die_at && !control->hangs) || !is_ours(fd))
        return real(fd);
    hang();
    if (control->flush_errno)
        return fails(control->flush_errno);
    int result = real(fd);
    step(FLUSHED);
    return result;
}

int fsync(int fd) { return flush(fd, "fsync"); }
int fdatasync(int fd) { return flush(fd, "fdatasync"); }

static int open_mode(const char *name, const char *path, int flags, mode_t mode)
{
    if (control->hangs && (flags & O_ACCMODE) != O_RDONLY && is_below(path))
        hang();
    if (control->open_errno && (flags & O_ACCMODE) != O_RDONLY && is_below(path))
        return fails(control->open_errno);
    return ((int (*)(const char *, int, ...))next(name))(path, flags, mode);
}

static mode_t mode_of(int flags, va_list more) { return flags & (O_CREAT | __O_TMPFILE) ? va_arg(more, mode_t) : 0; }

int open(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    mode_t mode = mode_of(flags, more);
    va_end(more);
    return open_mode("open", path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    mode_t mode = mode_of(flags, more);
    va_end(more);
    return open_mode("open64", path, flags, mode);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = REAL(int, clock_gettime, clockid_t, struct timespec *)(clock, now);
    if (!result && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += control->clock_s;
    return result;
}

time_t time(time_t *where)
{
    time_t now = REAL(time_t, time, time_t *)(NULL) + control->clock_s;
    if (where)
        *where = now;
    return now;
}

int gettimeofday(struct timeval *now, void *zone)
{
    int result = REAL(int, gettimeofday, struct timeval *, void *)(now, zone);
    if (!result)
        now->tv_sec += control->clock_s;
    return result;
}
