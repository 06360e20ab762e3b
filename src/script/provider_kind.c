/* provider_kind.c - renders what a provider's answers of one kind have in common, once for each of its versions. */
#include "script/provider_kind.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"

/* What every answer of this kind carries (docs/api.md). */
static enum error_code render_common(const struct manifest *manifest, struct provider_kind *made, struct error *error)
{
	struct buffer out;

	if (strlen(manifest->capabilities) + strlen(manifest->pricing) > LIMIT_SCRIPT_FILE_BYTES)
		return error_set(error, ERROR_SCRIPT, "capabilities",
			"capabilities and pricing are too large: at most %d bytes together", LIMIT_SCRIPT_FILE_BYTES);
	buffer_init(&out, LIMIT_SCRIPT_FILE_BYTES * 4);
	json_member_text(&out, "provider", manifest->id);
	json_member_text(&out, "name", manifest->name);
	json_member_text(&out, "kind", made->kind->name);
	json_member_text(&out, "pricing_url", manifest->pricing_url);
	json_member_text(&out, "docs_url", manifest->docs_url);
	json_member_text(&out, "last_checked", manifest->last_checked);
	json_member_json(&out, "capabilities", manifest->capabilities);
	json_member_json(&out, "pricing", manifest->pricing);
	if (out.failed && !out.starved) {
		buffer_free(&out);
		return error_set(error, ERROR_SCRIPT, "name", "name, URLs and last_checked are too large");
	}
	made->common = buffer_take(&out);
	return made->common != NULL ? ERROR_NONE : error_memory(error);
}

/* A mode that names no kind is of the provider's own. */
static bool is_mode_of(const json_t *mode, const struct manifest *manifest, const struct kind *kind)
{
	const char *named = json_text(mode, "kind");

	return strcmp(named != NULL ? named : manifest->kind, kind->name) == 0;
}

static enum error_code render_modes(const struct manifest *manifest, struct provider_kind *made, struct error *error)
{
	json_t *all = json_read(manifest->modes, strlen(manifest->modes), error), *chosen = json_array(), *mode;
	struct buffer out;
	size_t i;

	json_array_foreach(all, i, mode)
		if (is_mode_of(mode, manifest, made->kind))
			json_array_append(chosen, mode);
	buffer_init(&out, LIMIT_SCRIPT_FILE_BYTES * 4);
	json_write(&out, chosen);
	json_decref(chosen);
	json_decref(all);
	made->modes = buffer_take(&out);
	return made->modes != NULL ? ERROR_NONE
				   : error_set(error, ERROR_SCRIPT, "modes", "modes are too large: at most %d bytes",
					     LIMIT_SCRIPT_FILE_BYTES * 4);
}

enum error_code provider_kind_make(
	const struct manifest *manifest, const struct kind *kind, struct provider_kind *made, struct error *error)
{
	enum error_code code;

	*made = (struct provider_kind){ .kind = kind, .flag = manifest_flag(manifest, kind) };
	code = render_common(manifest, made, error);
	if (code != ERROR_NONE || manifest->modes == NULL)
		return code;
	if (manifest->kind_count > 1)
		return render_modes(manifest, made, error);
	made->modes = memory_copy_text(manifest->modes);
	return ERROR_NONE;
}

void provider_kind_free(struct provider_kind *provider_kind)
{
	free(provider_kind->common);
	free(provider_kind->modes);
}
