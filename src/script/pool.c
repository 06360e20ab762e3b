/* pool.c - one region of address space per state, cut from the front, with a list of free blocks per size. The state's thread only. */
#include "script/pool.h"

#include <sys/mman.h>

#include "base/sanitizer.h"

/* A sanitizer must see each object by itself. */
#define POOL_IS_USED (!ADDRESS_SANITIZER && !THREAD_SANITIZER)

void pool_open(struct pool *pool)
{
	void *region = MAP_FAILED;

	*pool = (struct pool){ 0 };
	if (POOL_IS_USED)
		region = mmap(NULL, POOL_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (region == MAP_FAILED)
		return;
	pool->start = pool->next = region;
	pool->end = pool->start + POOL_BYTES;
}

void pool_close(struct pool *pool)
{
	if (pool->start != NULL)
		munmap(pool->start, POOL_BYTES);
}

static size_t class_of(size_t size)
{
	return (size + POOL_STEP - 1) / POOL_STEP;
}

bool pool_same_size(size_t a, size_t b)
{
	return class_of(a) == class_of(b);
}

bool pool_owns(const struct pool *pool, const void *block)
{
	return (const char *)block >= pool->start && (const char *)block < pool->end;
}

void *pool_take(struct pool *pool, size_t size)
{
	size_t class = class_of(size);
	void *block = pool->free[class];

	if (block != NULL) {
		pool->free[class] = *(void **)block;
		return block;
	}
	if ((size_t)(pool->end - pool->next) < class * POOL_STEP)
		return NULL;
	block = pool->next;
	pool->next += class * POOL_STEP;
	return block;
}

void pool_give(struct pool *pool, void *block, size_t size)
{
	size_t class = class_of(size);

	*(void **)block = pool->free[class];
	pool->free[class] = block;
}
