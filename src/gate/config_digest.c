/* config_digest.c - one digest of what hosts that share a registry should have in common: what may be sent, and how much it may cost. Any thread. */
#include "gate/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/limits.h"

static void digest_budget(struct buffer *out, const char *name, const struct budget *budget)
{
	buffer_format(out, "%s %lld %lld\n", name, (long long)budget->per_day_micro_usd, (long long)budget->per_month_micro_usd);
}

static void digest_texts(struct buffer *out, char *const *texts)
{
	for (; texts != NULL && *texts != NULL; texts++)
		json_write_text(out, *texts);
	buffer_char(out, '\n');
}

static void digest_provider(struct buffer *out, const struct config_live_provider *provider)
{
	json_write_text(out, provider->id);
	buffer_format(out, " %d %d %d %lld\n", provider->enabled, provider->rate_per_minute, provider->max_concurrent,
		(long long)provider->min_reserve_micro_usd);
	digest_budget(out, "provider", &provider->budget);
	json_write_text(out, provider->base_url);
	digest_texts(out, provider->hosts);
	digest_texts(out, provider->credentials.env);
	digest_texts(out, provider->credentials.secrets);
}

static int by_id(const void *one, const void *other)
{
	const struct config_live_provider *const *a = one, *const *b = other;

	return strcmp((*a)->id, (*b)->id);
}

/* In the order of their ids, whatever that of the file is. */
static void digest_providers(struct buffer *out, const struct config_live *live)
{
	const struct config_live_provider **sorted = calloc(live->provider_count + 1, sizeof *sorted);

	out->failed |= sorted == NULL;
	for (size_t i = 0; sorted != NULL && i < live->provider_count; i++)
		sorted[i] = &live->providers[i];
	if (sorted != NULL)
		qsort(sorted, live->provider_count, sizeof *sorted, by_id);
	for (size_t i = 0; sorted != NULL && i < live->provider_count; i++)
		digest_provider(out, sorted[i]);
	free(sorted);
}

bool config_live_sha256(const struct config *config, unsigned char digest[32])
{
	const struct config_features *features = &config->features;
	const struct config_live *live = &config->live;
	struct buffer out;
	bool made;

	buffer_init(&out, LIMIT_REPLY_BYTES);
	buffer_format(&out, "%d %d %d %d\n", features->enable_public_gpu, features->enable_public_image_providers,
		features->enable_public_video_providers, features->enable_public_image_video);
	buffer_format(&out, "%d %d\n", live->enabled, live->trace);
	digest_budget(&out, "host", &live->budget);
	digest_budget(&out, "mcp", &config->mcp.budget);
	json_write_text(&out, live->public_url);
	json_write_text(&out, live->upstream);
	digest_providers(&out, live);
	made = !out.failed && crypto_load();
	if (made)
		crypto_sha256(out.data, out.length, digest);
	buffer_free(&out);
	return made;
}
