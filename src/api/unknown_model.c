/* unknown_model.c - "did you mean" for a model that nobody here knows: such a one is never refused. Engine thread; CPU only. */
#include "api/unknown_model.h"

#include "api/model_rows.h"
#include "base/json.h"
#include "base/limits.h"

#define NEAREST 3
#define WARNING_BYTES 4096

static bool is_described(const struct manifest *manifest, const char *id)
{
	struct model_rows rows;
	bool described;

	model_rows_open(&rows, manifest);
	described = model_rows_find(&rows, id) != NULL;
	model_rows_close(&rows);
	return described;
}

/* The vendor's list is whole and does not have it, or the vendor was asked for this one. */
static bool is_unknown(const struct directory_snapshot *snapshot, const struct script_call *call)
{
	if (snapshot == NULL || snapshot->shown == 0 || directory_find(snapshot, call->asked_model) != NULL)
		return false;
	return snapshot->complete || call->missed_model[0] == '\0';
}

static void write_warning(const struct directory_snapshot *snapshot, struct script_call *call)
{
	const char *near[NEAREST];
	size_t count = directory_nearest(snapshot, call->asked_model, near, NEAREST);
	struct buffer text;

	buffer_init(&text, WARNING_BYTES);
	buffer_format(&text, "%s has no model %s that the directory knows: it is sent unchecked, and its price is not known",
		call->provider->manifest.name, call->asked_model);
	for (size_t i = 0; i < count; i++)
		buffer_format(&text, "%s%s", i == 0 ? "; did you mean " : ", ", near[i]);
	if (!text.failed) {
		json_write_text(&call->warnings, text.data);
		buffer_char(&call->warnings, ',');
		call->warning_count++;
	}
	buffer_free(&text);
}

void unknown_model_warn(struct directory *directory, struct script_call *call)
{
	struct directory_snapshot *snapshot;

	if (call->asked_model[0] == '\0' || call->warning_count >= LIMIT_SCRIPT_WARNINGS)
		return;
	snapshot = directory_acquire(directory, call->provider->manifest.id);
	if (is_unknown(snapshot, call) && !is_described(&call->provider->manifest, call->asked_model))
		write_warning(snapshot, call);
	directory_release(snapshot);
}
