/* destination.c - a URL that may be asked goes, for curl too, to the host that was allowed. */
#include "fuzz.h"

#include <curl/curl.h>

#include "gate/address.h"
#include "net/destination.h"

static char api[] = "api.example.com", below[] = "*.example.org";
static char *const hosts[] = { api, below, NULL };

static bool is_allowed(const char *host)
{
	size_t length = strlen(host);

	return strcasecmp(host, api) == 0 || (length > 12 && strcasecmp(host + length - 12, ".example.org") == 0);
}

static void check_host(const char *url)
{
	CURLU *parts = curl_url();
	char *host = NULL, *scheme = NULL, *user = NULL;

	FUZZ_CHECK(parts != NULL);
	if (curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK) {
		FUZZ_CHECK(curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK);
		FUZZ_CHECK(curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK);
		FUZZ_CHECK(strcmp(scheme, "https") == 0 || strcmp(scheme, "http") == 0);
		FUZZ_CHECK(is_allowed(host));
		FUZZ_CHECK(curl_url_get(parts, CURLUPART_USER, &user, 0) != CURLUE_OK);
	}
	curl_free(host);
	curl_free(scheme);
	curl_free(user);
	curl_url_cleanup(parts);
}

/* By a detour and back it is the same. */
static void check_detour(const char *url)
{
	char upstream[] = "http://127.0.0.1:9101";
	struct destination_detour detour = { .upstream = upstream };
	struct buffer sent, back;

	buffer_init(&sent, 1024 * 1024);
	buffer_init(&back, 1024 * 1024);
	destination_write(url, &detour, &sent);
	FUZZ_CHECK(!sent.failed && strncmp(sent.data, upstream, strlen(upstream)) == 0);
	destination_restore(sent.data, &detour, &back);
	if (strncmp(url, "https://", 8) == 0)
		FUZZ_CHECK(!back.failed && strcmp(back.data, url) == 0);
	buffer_free(&sent);
	buffer_free(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *url = fuzz_text(data, size);
	struct error error;

	if (destination_check(url, hosts, false, &error) == ERROR_NONE) {
		check_host(url);
		check_detour(url);
	}
	destination_is_this_host(url, "https://studio.example.net/x");
	address_refuse_url(url);
	address_refuse_target(url);
	address_refuse_origin(url);
	address_refuse_host(url);
	address_refuse_listen(url);
	free(url);
	return 0;
}
