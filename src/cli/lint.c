/* lint.c - tells a provider author what is wrong, with file:line, without a host. */
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/test_setting.h"
#include "cli/places.h"
#include "script/provider.h"

/* "image", "image and video", "gpu, image and video". */
static void name_kinds(const struct provider *provider, char *text, size_t size)
{
	size_t used = 0, last = provider->kind_count - 1;

	text[0] = '\0';
	for (size_t i = 0; i <= last && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s",
			i == 0	    ? ""
			: i == last ? " and "
				    : ", ",
			provider->kinds[i].kind->name);
}

static int lint_file(const char *path, struct script_library *library)
{
	struct provider *provider = NULL;
	struct error error = { 0 };
	char *text, kinds[64];
	size_t length;

	if (file_read(path, LIMIT_SCRIPT_FILE_BYTES, &text, &length, &error) != ERROR_NONE) {
		fprintf(stderr, "%s: %s\n", path, error.message);
		return EXIT_PROBLEM;
	}
	if (provider_load(
		    &(struct provider_source){
			    .file = path, .text = text, .length = length, .library = library, .generation = 1 },
		    &provider, &error) != ERROR_NONE) {
		fprintf(stderr, "%s\n", error.message);
	} else {
		name_kinds(provider, kinds, sizeof kinds);
		printf("%s: ok: %s provider '%s', %zu credential(s)\n", path, kinds, provider->manifest.id,
			provider->manifest.credential_count);
	}
	free(text);
	if (provider == NULL)
		return EXIT_PROBLEM;
	provider_release(provider);
	return EXIT_OK;
}

int cli_lint(int argc, char **argv)
{
	struct script_library *library;
	char *lua, *providers;
	int result = EXIT_OK;

	if (argc < 2) {
		fprintf(stderr, "usage: providerd lint FILE.lua...\n");
		return EXIT_USAGE;
	}
	test_settings_read();
	lua = places_find(".", "lua");
	providers = places_find(".", "providers");
	library = script_library_read(lua, providers);
	free(lua);
	free(providers);
	if (library == NULL) {
		fprintf(stderr, "providerd lint: cannot read lua/\n");
		return EXIT_PROBLEM;
	}
	for (int i = 1; i < argc; i++)
		if (lint_file(argv[i], library) != EXIT_OK)
			result = EXIT_PROBLEM;
	script_library_release(library);
	return result;
}
