/* Stands between a program and the C library's calls that change files or send: below one folder it
 * writes down what was done to the files, or makes the call of a given number fail.
 *
 * Loaded by LD_PRELOAD; `shim.py` compiles it, and speaks to it through the functions `shim_*`.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FILES = 4096, CALLS = 1 << 16 };
enum { KILL = -1, SHORT = -2, TORN = -3 }; /* beside numbers of errors */

static char root[4096];
static size_t root_length;
static char *paths[FILES]; /* of the open files below the folder */
static int log_file = -1, counting, network;
static long count, target, fault;
static const char *names[CALLS];

#define REAL(type, name, ...) \
    static type (*real_##name)(__VA_ARGS__); \
    if (!real_##name) real_##name = dlsym(RTLD_NEXT, #name)

/* --- what the tests say ----------------------------------------------------------------------- */

void shim_watch(const char *folder) {
    snprintf(root, sizeof root, "%s", folder);
    root_length = strlen(root);
}
void shim_network(int on) { network = on; }
void shim_arm(long number, long what) { count = 0, target = number, fault = what, counting = 1; }
long shim_disarm(void) { counting = 0; return count; }
const char *shim_name(long number) { return number < CALLS ? names[number] : 0; }
void shim_record(int descriptor) { log_file = descriptor; }

/* --- what is below the folder ----------------------------------------------------------------- */

static int is_below(const char *path) {
    return root_length && !strncmp(path, root, root_length) &&
        (path[root_length] == '/' || !path[root_length]);
}

/* Return the absolute path that a call means when it is below the folder, else NULL. */
static const char *place(int folder, const char *path, char *buffer) {
    if (!root_length || !path) return NULL;
    if (path[0] == '/') return is_below(path) ? path : NULL;
    if (folder < 0 || folder >= FILES || !paths[folder]) return NULL;
    snprintf(buffer, 4096, "%s/%s", paths[folder], path);
    return buffer;
}
static int is_ours(int file) { return file >= 0 && file < FILES && paths[file]; }

static void forget(int file) {
    if (is_ours(file)) free(paths[file]), paths[file] = NULL;
}

/* Count a call; return 0, the number of the error that it fails with, or one of the others. */
static long hit(const char *name) {
    if (!counting) return 0;
    long number = __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
    if (number < CALLS) names[number] = name;
    if (number != target) return 0;
    if (fault == KILL) kill(getpid(), SIGKILL);
    return fault;
}

/* --- what is written down ---------------------------------------------------------------------- */

static void note(char kind, uint64_t node, uint64_t at, const char *one, const char *other,
                 const void *data, uint32_t length) {
    if (log_file < 0) return;
    int before = errno;
    uint32_t first = one ? strlen(one) : 0, second = other ? strlen(other) : 0;
    char head[29];
    head[0] = kind;
    memcpy(head + 1, &node, 8), memcpy(head + 9, &at, 8);
    memcpy(head + 17, &first, 4), memcpy(head + 21, &second, 4), memcpy(head + 25, &length, 4);
    struct iovec parts[4] = {{head, 29}, {(void *)one, first}, {(void *)other, second},
                             {(void *)data, length}};
    syscall(SYS_writev, log_file, parts, 4);
    errno = before;
}
void shim_mark(const char *text) { note('a', 0, 0, text, NULL, NULL, 0); }

static uint64_t node_of(int file) {
    struct stat found;
    return fstat(file, &found) ? 0 : found.st_ino;
}
static uint64_t node_at(const char *path) {
    struct stat found;
    return lstat(path, &found) ? 0 : found.st_ino;
}
static void note_written(int file, int64_t at, int64_t length) {
    if (log_file < 0 || length <= 0) return;
    /* Read back: so what was copied by the kernel is seen, too. */
    char *data = malloc(length), name[64];
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    int again = syscall(SYS_openat, AT_FDCWD, name, O_RDONLY | O_CLOEXEC, 0);
    int64_t got = again < 0 ? -1 : syscall(SYS_pread64, again, data, length, at);
    if (again >= 0) syscall(SYS_close, again);
    note(got == length ? 'w' : '?', node_of(file), at, NULL, NULL, data, got == length ? length : 0);
    free(data);
}

/* --- calls that open and close ----------------------------------------------------------------- */

static int opened(int file, const char *path, int flags, int was_there) {
    if (file < 0 || file >= FILES) return file;
    forget(file);
    paths[file] = strdup(path);
    if ((flags & O_TMPFILE) == O_TMPFILE) note('t', node_of(file), 0, NULL, NULL, NULL, 0);
    else if (flags & O_CREAT && !was_there) note('o', node_of(file), 0, path, NULL, NULL, 0);
    else if (flags & O_TRUNC) note('T', node_of(file), 0, NULL, NULL, NULL, 0);
    return file;
}
static int open_at(const char *name, int folder, const char *path, int flags, mode_t mode) {
    REAL(int, openat, int, const char *, int, ...);
    char buffer[4096];
    const char *where = place(folder, path, buffer);
    if (!where) {
        int file = real_openat(folder, path, flags, mode);
        forget(file);
        return file;
    }
    long error = hit(name);
    if (error > 0) return errno = error, -1;
    int was_there = log_file >= 0 && node_at(where) != 0;
    return opened(real_openat(folder, path, flags, mode), where, flags, was_there);
}
#define MODE \
    mode_t mode = 0; \
    if (flags & (O_CREAT | O_TMPFILE)) { \
        va_list rest; \
        va_start(rest, flags), mode = va_arg(rest, mode_t), va_end(rest); \
    }
int open(const char *path, int flags, ...) { MODE return open_at("open", AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE return open_at("open", AT_FDCWD, path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { MODE return open_at("open", at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE return open_at("open", at, path, flags, mode); }
int close(int file) {
    REAL(int, close, int);
    forget(file);
    return real_close(file);
}

/* --- calls that write --------------------------------------------------------------------------- */

/* Make a call of `length` bytes fail, or be shorter: return its length, or -1. */
static int64_t allowed(const char *name, int64_t length) {
    long error = hit(name);
    if (error > 0) return errno = error, -1;
    return error ? (length + 1) / 2 : length;
}
static void end_if_torn(void) {
    if (counting && fault == TORN && count == target) kill(getpid(), SIGKILL);
}
ssize_t write(int file, const void *data, size_t length) {
    REAL(ssize_t, write, int, const void *, size_t);
    if (!is_ours(file)) return real_write(file, data, length);
    int64_t left = allowed("write", length);
    if (left < 0) return -1;
    ssize_t done = real_write(file, data, left);
    end_if_torn();
    if (log_file >= 0 && done > 0) note_written(file, lseek(file, 0, SEEK_CUR) - done, done);
    return done;
}
static ssize_t write_at(int file, const void *data, size_t length, off_t at) {
    if (!is_ours(file)) return syscall(SYS_pwrite64, file, data, length, at);
    int64_t left = allowed("pwrite", length);
    if (left < 0) return -1;
    ssize_t done = syscall(SYS_pwrite64, file, data, left, at);
    end_if_torn();
    note_written(file, at, done);
    return done;
}
ssize_t pwrite(int file, const void *data, size_t length, off_t at) { return write_at(file, data, length, at); }
ssize_t pwrite64(int file, const void *data, size_t length, off_t at) { return write_at(file, data, length, at); }
ssize_t copy_file_range(int from, off64_t *start, int file, off64_t *at, size_t length, unsigned flags) {
    REAL(ssize_t, copy_file_range, int, off64_t *, int, off64_t *, size_t, unsigned);
    if (!is_ours(file)) return real_copy_file_range(from, start, file, at, length, flags);
    if (allowed("copy_file_range", length) < 0) return -1;
    off_t before = at ? *at : lseek(file, 0, SEEK_CUR);
    ssize_t done = real_copy_file_range(from, start, file, at, length, flags);
    note_written(file, before, done);
    return done;
}
static int cut(int file, off_t length) {
    if (!is_ours(file)) return syscall(SYS_ftruncate, file, length);
    if (allowed("ftruncate", 0) < 0) return -1;
    int done = syscall(SYS_ftruncate, file, length);
    if (!done) note('T', node_of(file), length, NULL, NULL, NULL, 0);
    return done;
}
int ftruncate(int file, off_t length) { return cut(file, length); }
int ftruncate64(int file, off_t length) { return cut(file, length); }
static int settle(int file, const char *name, long call) {
    if (!is_ours(file)) return syscall(call, file);
    if (allowed(name, 0) < 0) return -1;
    int done = syscall(call, file);
    if (!done) note('s', node_of(file), 0, NULL, NULL, NULL, 0);
    return done;
}
int fsync(int file) { return settle(file, "fsync", SYS_fsync); }
int fdatasync(int file) { return settle(file, "fdatasync", SYS_fdatasync); }

/* --- calls that name ---------------------------------------------------------------------------- */

static int rename_at(int from, const char *old, int to, const char *new) {
    REAL(int, renameat, int, const char *, int, const char *);
    char one[4096], other[4096];
    const char *before = place(from, old, one), *after = place(to, new, other);
    if (!before || !after) return real_renameat(from, old, to, new);
    if (allowed("rename", 0) < 0) return -1;
    int done = real_renameat(from, old, to, new);
    if (!done) note('r', 0, 0, before, after, NULL, 0);
    return done;
}
int rename(const char *old, const char *new) { return rename_at(AT_FDCWD, old, AT_FDCWD, new); }
int renameat(int from, const char *old, int to, const char *new) { return rename_at(from, old, to, new); }
static int link_at(int from, const char *old, int to, const char *new, int flags) {
    REAL(int, linkat, int, const char *, int, const char *, int);
    char buffer[4096];
    const char *where = place(to, new, buffer);
    if (!where) return real_linkat(from, old, to, new, flags);
    if (allowed("link", 0) < 0) return -1;
    int done = real_linkat(from, old, to, new, flags);
    if (!done) note('l', node_at(where), 0, where, NULL, NULL, 0);
    return done;
}
int link(const char *old, const char *new) { return link_at(AT_FDCWD, old, AT_FDCWD, new, 0); }
int linkat(int from, const char *old, int to, const char *new, int flags) {
    return link_at(from, old, to, new, flags);
}
static int unlink_at(int folder, const char *path, int flags) {
    REAL(int, unlinkat, int, const char *, int);
    char buffer[4096];
    const char *where = place(folder, path, buffer);
    if (!where) return real_unlinkat(folder, path, flags);
    if (allowed(flags & AT_REMOVEDIR ? "rmdir" : "unlink", 0) < 0) return -1;
    int done = real_unlinkat(folder, path, flags);
    if (!done) note(flags & AT_REMOVEDIR ? 'd' : 'u', 0, 0, where, NULL, NULL, 0);
    return done;
}
int unlink(const char *path) { return unlink_at(AT_FDCWD, path, 0); }
int unlinkat(int folder, const char *path, int flags) { return unlink_at(folder, path, flags); }
int rmdir(const char *path) { return unlink_at(AT_FDCWD, path, AT_REMOVEDIR); }
static int make_at(int folder, const char *path, mode_t mode) {
    REAL(int, mkdirat, int, const char *, mode_t);
    char buffer[4096];
    const char *where = place(folder, path, buffer);
    if (!where) return real_mkdirat(folder, path, mode);
    if (allowed("mkdir", 0) < 0) return -1;
    int done = real_mkdirat(folder, path, mode);
    if (!done) note('m', node_at(where), 0, where, NULL, NULL, 0);
    return done;
}
int mkdir(const char *path, mode_t mode) { return make_at(AT_FDCWD, path, mode); }
int mkdirat(int folder, const char *path, mode_t mode) { return make_at(folder, path, mode); }

/* --- calls that send ----------------------------------------------------------------------------- */

static int is_far(int file) {
    struct sockaddr_storage found;
    socklen_t length = sizeof found;
    return network && !getsockname(file, (struct sockaddr *)&found, &length) &&
        (found.ss_family == AF_INET || found.ss_family == AF_INET6);
}
int connect(int file, const struct sockaddr *to, socklen_t length) {
    REAL(int, connect, int, const struct sockaddr *, socklen_t);
    if (is_far(file) && allowed("connect", 0) < 0) return -1;
    return real_connect(file, to, length);
}
/* A connection that broke stays broken. */
static int64_t allowed_far(int file, const char *name, int64_t length) {
    if (!is_far(file)) return length;
    int64_t left = allowed(name, length);
    int before = errno;
    if (left < 0 && before != EINTR) shutdown(file, SHUT_RDWR);
    errno = before;
    return left;
}
ssize_t send(int file, const void *data, size_t length, int flags) {
    REAL(ssize_t, send, int, const void *, size_t, int);
    int64_t left = allowed_far(file, "send", length);
    return left < 0 ? -1 : real_send(file, data, left, flags);
}
ssize_t recv(int file, void *data, size_t length, int flags) {
    REAL(ssize_t, recv, int, void *, size_t, int);
    int64_t left = allowed_far(file, "recv", length);
    return left < 0 ? -1 : real_recv(file, data, left, flags);
}
