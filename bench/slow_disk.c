/* A disk whose flush is slow: preloaded into the daemon, which calls fdatasync and fsync of the C library.

   Each flush takes SLOW_DISK_MS longer, every fiftieth SLOW_DISK_SOMETIMES_MS, and is told to the file SLOW_DISK_LOG:
   three 64-bit integers, the thread's id and the monotonic nanoseconds of its beginning and end. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int log_fd = -1;
static long usual_ms, sometimes_ms;
static int (*real_fdatasync)(int);
static int (*real_fsync)(int);
static unsigned flushes;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("SLOW_DISK_LOG"), *usual = getenv("SLOW_DISK_MS"), *some = getenv("SLOW_DISK_SOMETIMES_MS");
    if (path)
        log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    usual_ms = usual ? atol(usual) : 0;
    sometimes_ms = some ? atol(some) : usual_ms;
    real_fdatasync = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    real_fsync = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
}

static int64_t now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * INT64_C(1000000000) + at.tv_nsec;
}

static int flush(int (*real)(int), int fd)
{
    int64_t record[3] = {syscall(SYS_gettid), now(), 0};
    long ms = __atomic_add_fetch(&flushes, 1, __ATOMIC_RELAXED) % 50 ? usual_ms : sometimes_ms;
    struct timespec delay = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&delay, NULL);
    int result = real(fd);
    record[2] = now();
    if (log_fd >= 0 && write(log_fd, record, sizeof record) < 0)
        _exit(99);
    return result;
}

int fdatasync(int fd) { return flush(real_fdatasync, fd); }
int fsync(int fd) { return flush(real_fsync, fd); }
