/* manifest.c - a script's text is loaded or refused with its file's name, within its limits. */
#include "fuzz.h"

#include "base/log.h"
#include "script/provider.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct script_library *library;
	struct provider *provider = NULL;
	struct error error = { 0 };
	char *text = fuzz_text(data, size);

	if (library == NULL)
		library = script_library_read("/nowhere", NULL);
	if (provider_load(
		    &(struct provider_source){
			    .file = "providers/x.lua", .text = text, .length = size, .library = library, .digest = 1 },
		    &provider, &error) == ERROR_NONE) {
		FUZZ_CHECK(provider->manifest.id != NULL && provider->manifest.kind != NULL);
		FUZZ_CHECK(provider_as(provider, provider->manifest.kind) != NULL);
		provider_release(provider);
	} else if (error.code != ERROR_MEMORY) {
		FUZZ_CHECK(strncmp(error.message, "providers/x.lua:", 16) == 0);
	}
	free(text);
	return 0;
}
