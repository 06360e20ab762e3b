/* registry_url.c - which registries can be named, and how a URL is shown: postgresql://USER:PASSWORD@HOST/DATABASE?password=... */
#include "gate/registry_url.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define SQLITE "sqlite:"
#define POSTGRESQL "postgresql://"
#define MASK "***"

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

const char *registry_url_refuse(const char *text)
{
	if (begins(text, POSTGRESQL) || (begins(text, SQLITE) && text[strlen(SQLITE)] != '\0'))
		return NULL;
	return "expected sqlite:PATH such as sqlite:data/registry.db, or postgresql://USER@HOST:PORT/DATABASE";
}

/* Writes the mask in place of what is between the two. */
static char *mask_part(const char *text, const char *from, const char *to)
{
	return memory_format("%.*s" MASK "%s", (int)(from - text), text, to);
}

/* "password=" and "sslpassword=" of its query. */
static char *mask_query(char *text)
{
	static const char *const names[] = { "?password=", "&password=", "?sslpassword=", "&sslpassword=" };
	const char *found, *value;
	char *masked;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		found = strstr(text, names[i]);
		if (found == NULL)
			continue;
		value = found + strlen(names[i]);
		masked = mask_part(text, value, value + strcspn(value, "&"));
		free(text);
		text = masked;
	}
	return text;
}

/* A password with an @ in it that is not written as %40 ends at the last one: rather too much is hidden. */
char *registry_url_mask(const char *text)
{
	const char *user = begins(text, POSTGRESQL) ? text + strlen(POSTGRESQL) : NULL;
	const char *colon, *at = NULL;

	if (user == NULL)
		return memory_copy_text(text);
	for (const char *next = strchr(user, '@'); next != NULL; next = strchr(next + 1, '@'))
		at = next;
	colon = strchr(user, ':');
	if (at == NULL || colon == NULL || colon > at)
		return mask_query(memory_copy_text(text));
	return mask_query(mask_part(text, colon + 1, at));
}
