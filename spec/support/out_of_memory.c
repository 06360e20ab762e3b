/* out_of_memory.c - LD_PRELOAD for a host under test: its allocations fail on command.
 *
 * The file that $OUT_OF_MEMORY names is mapped, so a spec can give orders while the host runs (spec/support/out_of_memory.lua). Fails
 * what malloc, calloc, realloc, aligned_alloc and posix_memalign are asked for, by whomever: libraries are met too. Allocates nothing; any thread. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct orders {
	_Atomic int64_t first; /* which allocation from now on is the first that fails; 0: none, and none is counted */
	_Atomic int64_t last;
	_Atomic int64_t least; /* smaller ones do not fail, and are not counted */
	_Atomic int64_t seen;  /* counted here: allocations, and those that failed */
	_Atomic int64_t failed;
};

static struct orders none;
static struct orders *orders = &none;

/* The C library's own, under names that it exports for this. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

__attribute__((constructor)) static void map_orders(void)
{
	const char *path = getenv("OUT_OF_MEMORY");
	int file = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *mapped = file >= 0 ? mmap(NULL, sizeof *orders, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) : MAP_FAILED;

	if (file >= 0)
		close(file);
	if (mapped != MAP_FAILED)
		orders = mapped;
}

static int fails(size_t size)
{
	int64_t first = atomic_load(&orders->first), number;

	if (first == 0 || (int64_t)size < atomic_load(&orders->least))
		return 0;
	number = atomic_fetch_add(&orders->seen, 1) + 1;
	if (number < first || number > atomic_load(&orders->last))
		return 0;
	atomic_fetch_add(&orders->failed, 1);
	errno = ENOMEM;
	return 1;
}

void *malloc(size_t size)
{
	return fails(size) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return fails(count * size) ? NULL : __libc_calloc(count, size);
}

/* The real one does not fail where the block is large enough. */
void *realloc(void *block, size_t size)
{
	if (block != NULL && malloc_usable_size(block) >= size)
		return __libc_realloc(block, size);
	return fails(size) ? NULL : __libc_realloc(block, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return fails(size) ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
	void *made = fails(size) ? NULL : __libc_memalign(alignment, size);

	if (made == NULL)
		return ENOMEM;
	*block = made;
	return 0;
}
