/* environment.c - a copy of the environment, made once.
 *
 * A copy because values must be trimmed (a trailing line break would end up in a request header) and because readers on many
 * threads must not depend on nobody ever calling setenv(). Immutable after start, wiped when freed. */
#include "gate/environment.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "gate/secrets_read.h"

struct variable {
	char *name;
	char *value;
	bool credential; /* by its name: kept out of answers */
	bool usable;	 /* one line of text, so it can stand in a request header */
};

struct environment {
	struct variable *variables;
	size_t count;
};

/* One part of NAME_IN_PARTS that only names of credentials have? */
static bool variable_is_telling(const char *part, size_t length)
{
	static const char *const telling[] = { "KEY", "APIKEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE",
		"CREDENTIAL" };

	for (size_t i = 0; i < sizeof telling / sizeof *telling; i++)
		if (strlen(telling[i]) == length && strncmp(part, telling[i], length) == 0)
			return true;
	return false;
}

bool environment_names_credential(const char *name)
{
	static const char *const elsewhere[] = { "_FILE", "_PATH", "_DIR", "_SOCK", "_COUNT" };
	size_t length = strlen(name), part;

	for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++)
		if (length > strlen(elsewhere[i]) && strcmp(name + length - strlen(elsewhere[i]), elsewhere[i]) == 0)
			return false;
	while (*name != '\0') {
		part = strcspn(name, "_");
		if (variable_is_telling(name, part))
			return true;
		name += part + (name[part] == '_');
	}
	return false;
}

/* Adds NAME=VALUE, unless it is as good as absent. */
static void add_variable(struct environment *environment, const char *definition)
{
	const char *equals = strchr(definition, '=');
	struct variable *variable = &environment->variables[environment->count];

	if (equals == NULL || (variable->value = secrets_clean(equals + 1)) == NULL)
		return;
	environment->count++;
	variable->name = memory_copy_bytes(definition, (size_t)(equals - definition));
	variable->credential = environment_names_credential(variable->name);
	variable->usable = secrets_usable(variable->value);
}

struct environment *environment_read(void)
{
	struct environment *made = memory_new(sizeof *made);
	size_t count = 0;

	while (environ != NULL && environ[count] != NULL)
		count++;
	made->variables = memory_new_array(count + 1, sizeof *made->variables);
	for (size_t i = 0; i < count; i++)
		add_variable(made, environ[i]);
	return made;
}

void environment_free(struct environment *environment)
{
	if (environment == NULL)
		return;
	for (size_t i = 0; i < environment->count; i++) {
		free(environment->variables[i].name);
		secrets_wipe(environment->variables[i].value);
	}
	free(environment->variables);
	free(environment);
}

const char *environment_find(const struct environment *environment, const char *name)
{
	for (size_t i = 0; environment != NULL && i < environment->count; i++)
		if (strcmp(environment->variables[i].name, name) == 0)
			return environment->variables[i].usable ? environment->variables[i].value : NULL;
	return NULL;
}

void environment_each_credential(
	const struct environment *environment, void (*visit)(void *context, const char *value), void *context)
{
	for (size_t i = 0; environment != NULL && i < environment->count; i++)
		if (environment->variables[i].credential)
			visit(context, environment->variables[i].value);
}

/* "postgres://user:secret@host/": what stands between the first colon and the last @ of the authority. */
static void visit_password(const char *value, void (*visit)(void *context, const char *value), void *context)
{
	const char *authority = strstr(value, "://"), *colon, *at;
	size_t length;
	char *password;

	if (authority == NULL)
		return;
	authority += 3;
	length = strcspn(authority, "/?# ");
	at = memrchr(authority, '@', length);
	colon = at != NULL ? memchr(authority, ':', (size_t)(at - authority)) : NULL;
	password = colon != NULL ? memory_copy_bytes(colon + 1, (size_t)(at - colon - 1)) : NULL;
	if (password != NULL)
		visit(context, password);
	secrets_wipe(password);
}

void environment_each_password(
	const struct environment *environment, void (*visit)(void *context, const char *value), void *context)
{
	for (size_t i = 0; environment != NULL && i < environment->count; i++)
		visit_password(environment->variables[i].value, visit, context);
}
