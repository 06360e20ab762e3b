/* ring.c - the file, its records, and what is known of them in memory.
 *
 * In memory there is an entry for each record that is not carried, by its number; so a walk needs nothing from the file but the bytes it wants, and a
 * look-up compares tags that stand side by side. Who appends takes `appending` for some instructions: nothing in the file is touched under it, because the
 * kernel may have to make a page writable first. `reading` keeps the records where they are while one is copied. */
#include "database/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/memory.h"

#define MAGIC "providerd ring\n"
#define FORMAT 1 /* of the records too, and of what the registry writes in them */
#define HEAD_BYTES 4096
#define UNIT 64 /* a record begins at a multiple of it */
#define SHARE 4 /* a record has at most this part of the ring */

/* In the file's first page. */
struct head {
	char magic[16];
	uint32_t format;
	uint32_t spare; /* 0 */
	uint64_t identity;
	uint64_t seed;
	uint64_t size;
};

/* In the file, before a record's bytes. */
struct record {
	uint64_t sum; /* of all that follows; it is written last */
	uint64_t position;
	uint64_t length;
	uint64_t spare; /* 0 */
	char bytes[];
};

struct entry {
	uint64_t position;
	_Atomic uint32_t published; /* the record's number + 1 */
};

struct ring {
	int fd;
	char *path;
	char *map; /* the whole file */
	struct head head;
	size_t entries_mask;
	struct entry *entries;
	uint32_t *tags;
	pthread_mutex_t appending; /* guards the three below */
	_Atomic uint64_t next;	   /* position */
	_Atomic uint64_t count;	   /* records */
	bool refusing;
	pthread_mutex_t reading;  /* guards the two below */
	_Atomic uint64_t carried; /* records */
	_Atomic uint64_t begin;	  /* position of the first that is not carried */
};

static size_t rounded(size_t length)
{
	return (sizeof(struct record) + length + UNIT - 1) / UNIT * UNIT;
}

static struct record *record_at(const struct ring *ring, uint64_t position)
{
	return (struct record *)(void *)(ring->map + HEAD_BYTES + position % ring->head.size);
}

static struct entry *entry_of(const struct ring *ring, uint64_t number)
{
	return &ring->entries[number & ring->entries_mask];
}

/* ---- checksums ---- */

static uint64_t turned(uint64_t value, int bits)
{
	return value << bits | value >> (64 - bits);
}

/* Two lanes of eight bytes; `length` is a multiple of eight. */
static uint64_t sum_of(const char *bytes, size_t length, uint64_t seed)
{
	uint64_t a = seed ^ 0x9e3779b97f4a7c15U, b = turned(seed, 32) ^ length, x, y = 0;

	for (; length >= 16; bytes += 16, length -= 16) {
		memcpy(&x, bytes, 8);
		memcpy(&y, bytes + 8, 8);
		a = turned((a ^ x) * 0x9fb21c651e98df25U, 29);
		b = turned((b ^ y) * 0xd6e8feb86659fd93U, 31);
	}
	if (length > 0) {
		memcpy(&x, bytes, 8);
		a = turned((a ^ x) * 0x9fb21c651e98df25U, 29);
	}
	a ^= turned(b * 0x9fb21c651e98df25U, 27);
	a = (a ^ a >> 32) * 0xd6e8feb86659fd93U;
	return a ^ a >> 29;
}

/* Bytes up to the next multiple of eight are part of it: they are set to 0 before. */
static uint64_t sum_of_record(const struct head *head, const struct record *record, uint64_t position)
{
	size_t length = sizeof *record - sizeof record->sum + (record->length + 7) / 8 * 8;

	return sum_of((const char *)&record->position, length, head->seed ^ position * 0xff51afd7ed558ccdU);
}

/* Is there a whole record at this place of the ring? */
static bool is_record(const struct head *head, const char *ring, size_t offset)
{
	const struct record *record = (const struct record *)(const void *)(ring + offset);

	return record->position % head->size == offset && record->length <= head->size / SHARE &&
	       rounded(record->length) <= head->size - offset && record->sum == sum_of_record(head, record, record->position);
}

/* ---- what a file has ---- */

static int compare_positions(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The positions of its records from `from` on, in their order; free() them. Between two there may be one that was never finished, and so never answered for. */
static uint64_t *find_records(const struct head *head, const char *ring, uint64_t from, size_t *count)
{
	uint64_t *found = memory_new_array(head->size / UNIT, sizeof *found);

	*count = 0;
	for (size_t offset = 0; offset + sizeof(struct record) <= head->size; offset += UNIT)
		if (is_record(head, ring, offset)) {
			const struct record *record = (const struct record *)(const void *)(ring + offset);

			if (record->position >= from)
				found[(*count)++] = record->position;
		}
	qsort(found, *count, sizeof *found, compare_positions);
	return found;
}

static bool is_head(const struct head *head, off_t bytes)
{
	return memcmp(head->magic, MAGIC, sizeof MAGIC) == 0 && head->format == FORMAT && head->size > 0 &&
	       head->size % HEAD_BYTES == 0 && (off_t)head->size == bytes - HEAD_BYTES;
}

/* ---- opening ---- */

static enum error_code refuse_file(const struct ring *ring, const char *action, struct error *error)
{
	return error_set(error, ERROR_IO, ring->path, "cannot %s: %s", action, strerror(errno));
}

static enum error_code map_file(struct ring *ring, struct error *error)
{
	ring->map = mmap(NULL, HEAD_BYTES + ring->head.size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, 0);
	if (ring->map != MAP_FAILED)
		return ERROR_NONE;
	ring->map = NULL;
	return refuse_file(ring, "map this file", error);
}

/* All bytes are written, so that no page has to find its place on the disk later, when nobody could be told that there is none. The head comes last: before,
 * the file is nobody's. */
static enum error_code fill_file(struct ring *ring, struct error *error)
{
	char *zeros = memory_new(HEAD_BYTES);
	size_t written = HEAD_BYTES;

	for (size_t at = 0; at <= ring->head.size && written == HEAD_BYTES; at += HEAD_BYTES)
		written = file_write_all(ring->fd, zeros, HEAD_BYTES);
	free(zeros);
	if (written == HEAD_BYTES && pwrite(ring->fd, &ring->head, sizeof ring->head, 0) == sizeof ring->head)
		return ERROR_NONE;
	refuse_file(ring, "make this file", error);
	unlink(ring->path);
	return ERROR_IO;
}

static enum error_code make_file(struct ring *ring, uint64_t identity, size_t size, struct error *error)
{
	ring->head = (struct head){ .magic = MAGIC, .format = FORMAT, .identity = identity, .size = size };
	if (getrandom(&ring->head.seed, sizeof ring->head.seed, 0) != sizeof ring->head.seed)
		return refuse_file(ring, "get random bytes", error);
	ring->fd = open(ring->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (ring->fd == -1 || flock(ring->fd, LOCK_EX | LOCK_NB) == -1)
		return refuse_file(ring, "make this file", error);
	return fill_file(ring, error);
}

/* A name that no file has. */
static enum error_code move_aside(struct ring *ring, struct ring_found *found, struct error *error)
{
	long long second = clock_unix_ms() / 1000;

	found->aside = memory_format("%s-%lld", ring->path, second);
	while (file_exists(found->aside)) {
		free(found->aside);
		found->aside = memory_format("%s-%lld", ring->path, ++second);
	}
	if (rename(ring->path, found->aside) == 0)
		return ERROR_NONE;
	refuse_file(ring, "rename this file", error);
	free(found->aside);
	found->aside = NULL;
	return ERROR_IO;
}

/* The file that is there is not this database's. What nothing was ever written to just goes. */
static enum error_code clear_place(struct ring *ring, off_t bytes, struct ring_found *found, struct error *error)
{
	static const struct head nothing;
	bool readable = is_head(&ring->head, bytes), empty = bytes == 0 || memcmp(&ring->head, &nothing, sizeof nothing) == 0;
	enum error_code code = ERROR_NONE;

	if (readable) {
		code = map_file(ring, error);
		if (code != ERROR_NONE)
			return code;
		free(find_records(&ring->head, ring->map + HEAD_BYTES, 0, &found->strange));
		empty = found->strange == 0;
		munmap(ring->map, HEAD_BYTES + ring->head.size);
		ring->map = NULL;
	}
	if (!empty)
		code = move_aside(ring, found, error);
	else if (unlink(ring->path) == -1)
		code = refuse_file(ring, "remove this file", error);
	close(ring->fd);
	ring->fd = -1;
	return code;
}

/* Opens a file that is there. *own: it is this database's; else it is not there any more. */
static enum error_code open_file(
	struct ring *ring, const struct ring_owner *owner, bool *own, struct ring_found *found, struct error *error)
{
	struct stat stat;
	ssize_t read;

	*own = false;
	ring->fd = open(ring->path, O_RDWR | O_CLOEXEC);
	if (ring->fd == -1)
		return errno == ENOENT ? ERROR_NONE : refuse_file(ring, "open this file", error);
	if (flock(ring->fd, LOCK_EX | LOCK_NB) == -1)
		return error_set(error, ERROR_BUSY, ring->path, "another process uses this registry");
	read = pread(ring->fd, &ring->head, sizeof ring->head, 0);
	if (read == -1 || fstat(ring->fd, &stat) == -1)
		return refuse_file(ring, "read this file", error);
	if (read < (ssize_t)sizeof ring->head)
		memset(&ring->head, 0, sizeof ring->head);
	*own = is_head(&ring->head, stat.st_size) && ring->head.identity == owner->identity;
	return *own ? ERROR_NONE : clear_place(ring, stat.st_size, found, error);
}

/* ---- entries ---- */

static void add_entry(struct ring *ring, uint64_t position)
{
	uint64_t number = atomic_load(&ring->count);
	struct entry *entry = entry_of(ring, number);

	entry->position = position;
	atomic_store(&entry->published, (uint32_t)number + 1);
	atomic_store(&ring->count, number + 1);
}

/* What an end without warning left comes first. The positions go on behind all that was ever seen. */
static void begin_entries(struct ring *ring, uint64_t carried, struct ring_found *found)
{
	uint64_t *positions = find_records(&ring->head, ring->map + HEAD_BYTES, carried, &found->records);
	size_t entries = LIMIT_RING_RECORDS;

	while (entries < found->records)
		entries *= 2;
	ring->entries = memory_new_array(entries, sizeof *ring->entries);
	ring->tags = memory_new_array(entries, sizeof *ring->tags);
	ring->entries_mask = entries - 1;
	atomic_store(&ring->next, carried);
	for (size_t i = 0; i < found->records; i++) {
		add_entry(ring, positions[i]);
		atomic_store(&ring->next, positions[i] + rounded(record_at(ring, positions[i])->length));
	}
	atomic_store(&ring->begin, found->records > 0 ? positions[0] : carried);
	free(positions);
}

enum error_code ring_open(const char *path, const struct ring_owner *owner, size_t size, struct ring **ring,
	struct ring_found *found, struct error *error)
{
	struct ring *new = memory_new(sizeof *new);
	enum error_code code;
	bool own;

	*found = (struct ring_found){ 0 };
	new->fd = -1;
	new->path = memory_copy_text(path);
	pthread_mutex_init(&new->appending, NULL);
	pthread_mutex_init(&new->reading, NULL);
	code = open_file(new, owner, &own, found, error);
	found->made = !own;
	if (code == ERROR_NONE && !own)
		code = make_file(new, owner->identity, size, error);
	if (code == ERROR_NONE)
		code = map_file(new, error);
	if (code != ERROR_NONE) {
		ring_close(new, false);
		return code;
	}
	begin_entries(new, owner->carried, found);
	madvise(new->map, HEAD_BYTES + new->head.size,
		MADV_DONTNEED); /* that was read stays the file's, but an idle host does not hold it */
	*ring = new;
	return ERROR_NONE;
}

void ring_close(struct ring *ring, bool remove)
{
	if (ring == NULL)
		return;
	if (ring->map != NULL)
		munmap(ring->map, HEAD_BYTES + ring->head.size);
	if (remove)
		unlink(ring->path);
	if (ring->fd != -1)
		close(ring->fd);
	free(ring->entries);
	free(ring->tags);
	pthread_mutex_destroy(&ring->appending);
	pthread_mutex_destroy(&ring->reading);
	free(ring->path);
	free(ring);
}

void ring_refuse(struct ring *ring)
{
	pthread_mutex_lock(&ring->appending);
	ring->refusing = true;
	pthread_mutex_unlock(&ring->appending);
}

/* ---- writing ---- */

/* Under the lock. A record stands in one piece: where it would not fit before the ring's end, it begins anew. */
static bool take_room(struct ring *ring, size_t size, uint64_t *position)
{
	uint64_t begin = atomic_load_explicit(&ring->begin, memory_order_acquire);
	uint64_t left;

	*position = atomic_load_explicit(&ring->next, memory_order_relaxed);
	left = ring->head.size - *position % ring->head.size;
	if (left < size)
		*position += left;
	if (ring->refusing || *position + size - begin > ring->head.size)
		return false;
	return atomic_load_explicit(&ring->count, memory_order_relaxed) -
		       atomic_load_explicit(&ring->carried, memory_order_acquire) <=
	       ring->entries_mask;
}

bool ring_reserve(struct ring *ring, size_t length, uint32_t tag, struct ring_space *space)
{
	size_t size = rounded(length);
	struct record *record;
	uint64_t position;
	bool fits;

	if (length > ring->head.size / SHARE)
		return false;
	pthread_mutex_lock(&ring->appending);
	fits = take_room(ring, size, &position);
	if (fits) {
		space->number = atomic_load_explicit(&ring->count, memory_order_relaxed);
		entry_of(ring, space->number)->position = position;
		ring->tags[space->number & ring->entries_mask] = tag;
		atomic_store_explicit(&ring->next, position + size, memory_order_relaxed);
		atomic_store(&ring->count, space->number + 1);
	}
	pthread_mutex_unlock(&ring->appending);
	if (!fits)
		return false;
	record = record_at(ring, position);
	record->position = position;
	record->length = length;
	record->spare = 0;
	space->bytes = record->bytes;
	return true;
}

void ring_publish(struct ring *ring, const struct ring_space *space)
{
	struct entry *entry = entry_of(ring, space->number);
	struct record *record = record_at(ring, entry->position);

	memset(record->bytes + record->length, 0, (8 - record->length % 8) % 8);
	record->sum = sum_of_record(&ring->head, record, entry->position);
	atomic_store_explicit(&entry->published, (uint32_t)space->number + 1, memory_order_release);
}

uint64_t ring_count(const struct ring *ring)
{
	return atomic_load(&ring->count);
}

uint64_t ring_carried(const struct ring *ring)
{
	return atomic_load_explicit(&ring->carried, memory_order_acquire);
}

size_t ring_used(const struct ring *ring)
{
	uint64_t begin = atomic_load_explicit(&ring->begin, memory_order_relaxed);
	uint64_t next = atomic_load_explicit(&ring->next, memory_order_relaxed);

	return next > begin ? (size_t)(next - begin) : 0;
}

size_t ring_size(const struct ring *ring)
{
	return ring->head.size;
}

/* ---- carrying ---- */

static bool is_published(const struct ring *ring, uint64_t number)
{
	return atomic_load_explicit(&entry_of(ring, number)->published, memory_order_acquire) == (uint32_t)number + 1;
}

bool ring_read(const struct ring *ring, uint64_t number, struct ring_record *record)
{
	const struct record *at;
	uint64_t position;

	if (number >= ring_count(ring) || !is_published(ring, number))
		return false;
	position = entry_of(ring, number)->position;
	at = record_at(ring, position);
	*record = (struct ring_record){ .bytes = at->bytes, .length = at->length, .end = position + rounded(at->length) };
	return true;
}

void ring_set_tag(struct ring *ring, uint64_t number, uint32_t tag)
{
	ring->tags[number & ring->entries_mask] = tag;
}

void ring_release(struct ring *ring, uint64_t number)
{
	uint64_t end = atomic_load_explicit(&ring->begin, memory_order_relaxed);
	struct ring_record last;

	if (number > ring_carried(ring) && ring_read(ring, number - 1, &last))
		end = last.end;
	pthread_mutex_lock(&ring->reading);
	atomic_store_explicit(&ring->begin, end, memory_order_release);
	atomic_store_explicit(&ring->carried, number, memory_order_release);
	pthread_mutex_unlock(&ring->reading);
}

/* ---- reading ---- */

char *ring_find(struct ring *ring, uint32_t tag, bool (*matches)(const void *context, const char *bytes, size_t length),
	const void *context, size_t *length)
{
	const struct record *record;
	uint64_t first, number;
	char *copy = NULL;

	if (ring_carried(ring) == ring_count(ring))
		return NULL;
	pthread_mutex_lock(&ring->reading);
	first = ring_carried(ring);
	for (number = ring_count(ring); number > first && copy == NULL; number--) {
		if (ring->tags[(number - 1) & ring->entries_mask] != tag || !is_published(ring, number - 1))
			continue;
		record = record_at(ring, entry_of(ring, number - 1)->position);
		*length = record->length;
		if (matches(context, record->bytes, record->length))
			copy = memory_copy_bytes(record->bytes, record->length);
	}
	pthread_mutex_unlock(&ring->reading);
	return copy;
}
