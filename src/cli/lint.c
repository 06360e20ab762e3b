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

static int lint_file(const char *path, struct script_library *library)
{
	struct provider *provider = NULL;
	struct error error = { 0 };
	size_t length;
	char *text;

	if (file_read(path, LIMIT_SCRIPT_FILE_BYTES, &text, &length, &error) != ERROR_NONE) {
		fprintf(stderr, "%s: %s\n", path, error.message);
		return EXIT_PROBLEM;
	}
	if (provider_load(path, text, length, library, 1, &provider, &error) != ERROR_NONE)
		fprintf(stderr, "%s\n", error.message);
	else
		printf("%s: ok: %s provider '%s', %zu credential(s)\n", path, provider->manifest.kind, provider->manifest.id,
			provider->manifest.credential_count);
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
