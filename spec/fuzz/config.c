/* config.c - a configuration document is read or refused with a message that begins with its name. */
#include "fuzz.h"

#include "gate/config_read.h"
#include "gate/secrets_read.h"

static void check_message(const struct error *error, const char *name)
{
	FUZZ_CHECK(error->code == ERROR_INVALID || error->code == ERROR_LIMIT);
	FUZZ_CHECK(strncmp(error->message, name, strlen(name)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[] = "comfyvn.json", *text = fuzz_text(data, size);
	struct document document = { .name = config_names[1], .path = path, .text = text, .length = size };
	struct config *config = NULL;
	struct secrets *secrets = NULL;
	struct error error = { 0 };

	if (config_from_document(&document, &config, &error) == ERROR_NONE)
		config_free(config);
	else
		check_message(&error, document.name);
	document.name = secrets_names[1];
	error = (struct error){ 0 };
	if (secrets_from_document(&document, &secrets, &error) == ERROR_NONE)
		secrets_free(secrets);
	else
		check_message(&error, document.name);
	free(text);
	return 0;
}
