/* error.c - fills struct error. Any thread; allocates nothing. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

enum error_code error_set(struct error *error, enum error_code code, const char *path, const char *format, ...)
{
	va_list arguments;

	if (error == NULL)
		return code;
	error->code = code;
	error->line = 0;
	snprintf(error->path, sizeof error->path, "%s", path != NULL ? path : "");
	va_start(arguments, format);
	vsnprintf(error->message, sizeof error->message, format, arguments);
	va_end(arguments);
	return code;
}

enum error_code error_memory(struct error *error)
{
	return error_set(error, ERROR_MEMORY, NULL, "out of memory");
}
