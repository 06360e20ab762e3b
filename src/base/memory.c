/* memory.c - see memory.h. Any thread; owns nothing. */
#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/log.h"

void memory_exhausted(void)
{
	log_last_words("host.memory",
		"there is no memory left: the process ends. Nothing that was answered is lost; start it again, with more memory");
	_exit(MEMORY_EXIT);
}

static void *memory_checked(void *block)
{
	if (block == NULL)
		memory_exhausted();
	return block;
}

void *memory_new(size_t size)
{
	return memory_checked(calloc(1, size > 0 ? size : 1));
}

void *memory_new_array(size_t count, size_t size)
{
	return memory_checked(calloc(count > 0 ? count : 1, size));
}

void *memory_new_aligned(size_t alignment, size_t size)
{
	return memset(memory_checked(aligned_alloc(alignment, size)), 0, size);
}

void *memory_resize(void *block, size_t size)
{
	return memory_checked(realloc(block, size > 0 ? size : 1));
}

char *memory_copy_text(const char *text)
{
	return text != NULL ? memory_copy_bytes(text, strlen(text)) : NULL;
}

char *memory_copy_bytes(const char *bytes, size_t length)
{
	char *copy = memory_checked(malloc(length + 1));

	memcpy(copy, bytes, length);
	copy[length] = '\0';
	return copy;
}

char *memory_format(const char *format, ...)
{
	va_list arguments;
	char *text;
	int length;

	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	return memory_checked(length >= 0 ? text : NULL);
}

static void *memory_for_jansson(size_t size)
{
	return memory_checked(malloc(size > 0 ? size : 1));
}

void memory_serve_jansson(void)
{
	json_set_alloc_funcs(memory_for_jansson, free);
}
