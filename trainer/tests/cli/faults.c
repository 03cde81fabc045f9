/* Makes a system call fail, for tests of what file systems cannot do: FAULT=CALL=ERRNO with CALL one of flock, fchmod,
   fsync, and create (whatever opens a file to write to it). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>

static int fails(const char *call) {
  const char *fault = getenv("FAULT");
  size_t length = strlen(call);
  if (!fault || strncmp(fault, call, length) != 0 || fault[length] != '=') return 0;
  errno = atoi(fault + length + 1);
  return 1;
}

int flock(int file, int operation) {
  int (*real)(int, int) = (int (*)(int, int))dlsym(RTLD_NEXT, "flock");
  return fails("flock") ? -1 : real(file, operation);
}

int fchmod(int file, mode_t mode) {
  int (*real)(int, mode_t) = (int (*)(int, mode_t))dlsym(RTLD_NEXT, "fchmod");
  return fails("fchmod") ? -1 : real(file, mode);
}

int fsync(int file) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  struct stat data;
  if (fstat(file, &data) == 0 && S_ISDIR(data.st_mode) && fails("fsync")) return -1;
  return real(file);
}

static int opened(const char *name, const char *path, int flags, mode_t mode) {
  int (*real)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, name);
  int device = strncmp(path, "/dev/", 5) == 0;
  if (!device && (flags & (O_CREAT | O_WRONLY | O_RDWR)) && fails("create")) return -1;
  return real(path, flags, mode);
}

#define OPEN(NAME)                                      \
  int NAME(const char *path, int flags, ...) {          \
    va_list rest;                                       \
    va_start(rest, flags);                              \
    mode_t mode = va_arg(rest, mode_t);                 \
    va_end(rest);                                       \
    return opened(#NAME, path, flags, mode);            \
  }
OPEN(open)
OPEN(open64)
