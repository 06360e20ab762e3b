/* filter.c - event filters: read or refused, and what passes is told in bounded time. The first line is the filter, the second an event's type. */
#include "fuzz.h"

#include "registry/event_filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *rest;
	size_t rest_size, length = fuzz_split(data, size, &rest, &rest_size);
	char *text = fuzz_text(data, length), *type = fuzz_text(rest, rest_size);
	struct event_filter filter = { 0 };
	struct error error = { 0 };

	if (event_filter_types(&filter, text, &error) == ERROR_NONE) {
		FUZZ_CHECK(filter.type_count >= 0 && filter.type_count <= LIMIT_EVENT_PATTERNS);
		event_filter_passes(&filter, &(struct event_subject){ .type = type });
		event_filter_passes(&filter, &(struct event_subject){ .type = "public.image.submit", .provider = "fal" });
		if (strcmp(text, "*") == 0)
			FUZZ_CHECK(event_filter_passes(&filter, &(struct event_subject){ .type = type }));
	} else {
		FUZZ_CHECK(error.message[0] != '\0');
	}
	free(text);
	free(type);
	return 0;
}
