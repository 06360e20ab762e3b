/* disk_fault.c - LD_PRELOAD for a host under test: what it asks of the disk fails on command.
 *
 * The file that $DISK_FAULT names holds a line "CALL PART ERRNO SKIP": the call (open, write, fsync, rename, mkdir, unlink), a part of the path
 * that is meant (with $ behind it: its end), the number of the error, and how many calls are let through before. An empty file: nothing fails. fsync stands for
 * fdatasync too, write for pwrite64; a descriptor is known by the path that /proc names. What failed is told by a line in $DISK_FAULT.met. Any thread. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define REAL(name)                                                                                                               \
	static __typeof__(name) *real;                                                                                           \
	if (real == NULL)                                                                                                        \
	*(void **)&real = dlsym(RTLD_NEXT, #name)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local int inside; /* our own calls */
static long passed;
static char known[256];

static void tell(const char *orders, const char *call, const char *path)
{
	char name[512];
	FILE *met;

	snprintf(name, sizeof name, "%s.met", orders);
	met = fopen(name, "a");
	if (met == NULL)
		return;
	fprintf(met, "%s %s\n", call, path);
	fclose(met);
}

/* "part" anywhere in the path; "part$" at its end. */
static int is_meant(const char *path, const char *part)
{
	size_t length = strlen(part), all = strlen(path);

	if (length == 0 || part[length - 1] != '$')
		return strstr(path, part) != NULL;
	length--;
	return all >= length && strncmp(path + all - length, part, length) == 0;
}

/* The error that is ordered for this call; 0: none. */
static int ordered(const char *call, const char *path)
{
	const char *orders = getenv("DISK_FAULT");
	char line[256] = "", which[32] = "", part[160] = "";
	int number = 0;
	long skip = 0;
	FILE *file;

	if (orders == NULL || inside)
		return 0;
	inside = 1;
	pthread_mutex_lock(&lock);
	file = fopen(orders, "r");
	if (file != NULL && fgets(line, sizeof line, file) == NULL)
		line[0] = '\0';
	if (file != NULL)
		fclose(file);
	if (strcmp(line, known) != 0) {
		memcpy(known, line, sizeof known);
		passed = 0;
	}
	if (sscanf(line, "%31s %159s %d %ld", which, part, &number, &skip) < 3 || strcmp(which, call) != 0 ||
		!is_meant(path, part) || passed++ < skip)
		number = 0;
	if (number != 0)
		tell(orders, call, path);
	pthread_mutex_unlock(&lock);
	inside = 0;
	return number;
}

static int fails(const char *call, const char *path)
{
	int number = ordered(call, path);

	if (number != 0)
		errno = number;
	return number != 0;
}

static int fails_on(const char *call, int descriptor)
{
	char link[64], path[1024];
	ssize_t length;

	if (inside || getenv("DISK_FAULT") == NULL)
		return 0;
	snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
	length = readlink(link, path, sizeof path - 1);
	if (length <= 0 || path[0] != '/')
		return 0;
	path[length] = '\0';
	return fails(call, path);
}

int open(const char *path, int flags, ...)
{
	REAL(open);
	mode_t mode = 0;
	va_list list;

	if (flags & O_CREAT) {
		va_start(list, flags);
		mode = va_arg(list, mode_t);
		va_end(list);
	}
	return fails("open", path) ? -1 : real(path, flags, mode);
}

ssize_t write(int descriptor, const void *bytes, size_t length)
{
	REAL(write);

	return fails_on("write", descriptor) ? -1 : real(descriptor, bytes, length);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t length, off64_t offset)
{
	REAL(pwrite64);

	return fails_on("write", descriptor) ? -1 : real(descriptor, bytes, length, offset);
}

int fsync(int descriptor)
{
	REAL(fsync);

	return fails_on("fsync", descriptor) ? -1 : real(descriptor);
}

int fdatasync(int descriptor)
{
	REAL(fdatasync);

	return fails_on("fsync", descriptor) ? -1 : real(descriptor);
}

int rename(const char *from, const char *to)
{
	REAL(rename);

	return fails("rename", to) ? -1 : real(from, to);
}

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned int flags)
{
	static int (*real)(int, const char *, int, const char *, unsigned int);

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "renameat2");
	return fails("rename", to) ? -1 : real(from_folder, from, to_folder, to, flags);
}

int mkdir(const char *path, mode_t mode)
{
	REAL(mkdir);

	return fails("mkdir", path) ? -1 : real(path, mode);
}

int unlink(const char *path)
{
	REAL(unlink);

	return fails("unlink", path) ? -1 : real(path);
}
