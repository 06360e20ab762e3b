/* pictures.c - opens and makes them. What is not as the job's row says is left out: it is never half of a picture that is sent. */
#include "openai/pictures.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/limits.h"
#include "cluster/cluster.h"
#include "openai/picture_size.h"

static const char media[] = "image/";

static void say_lost(struct pictures *pictures, const char *why)
{
	pictures->left_out++;
	if (pictures->lost[0] == '\0')
		snprintf(pictures->lost, sizeof pictures->lost, "%s", why);
}

/* "image/svg+xml" is "svg". */
static void name_format(struct pictures *pictures, const char *type)
{
	const char *name = type + strlen(media);

	snprintf(pictures->format, sizeof pictures->format, "%.*s", (int)strcspn(name, "+;"), name);
}

static void measure(struct pictures *pictures, const json_t *artifact, int descriptor)
{
	int width, height;

	if (picture_size_of_file(descriptor, &width, &height))
		snprintf(pictures->size, sizeof pictures->size, "%dx%d", width, height);
	name_format(pictures, json_text(artifact, "content_type"));
}

static void open_one(struct host *host, const json_t *artifact, struct pictures *pictures)
{
	int64_t bytes = json_integer_value(json_object_get(artifact, "bytes")), modified_ms;
	int descriptor, at = pictures->count;
	struct error error;
	off_t found;

	if (artifacts_open(host->artifacts, json_text(artifact, "sha256"), &descriptor, &found, &modified_ms, &error) !=
		ERROR_NONE) {
		say_lost(pictures, cluster_is_shared(host->cluster)
					   ? "its file is no longer in the artifacts folder, or another host "
					     "fetched it into one of its own"
					   : "its file is no longer in the artifacts folder");
	} else if (found != bytes) {
		say_lost(pictures, "its file in the artifacts folder is damaged");
		close(descriptor);
	} else {
		if (at == 0)
			measure(pictures, artifact, descriptor);
		pictures->files[at] = (struct http_filling){ .descriptor = descriptor, .length = bytes };
		pictures->numbers[at] = (int)json_integer_value(json_object_get(artifact, "n"));
		pictures->count++;
	}
}

static void explain_unkept(const json_t *artifact, struct pictures *pictures)
{
	const char *why = json_text(artifact, "error"), *source = json_text(artifact, "source_url");
	char text[PICTURE_LOST_BYTES];

	snprintf(text, sizeof text, "%.240s%s%.200s", why != NULL ? why : "it was not kept", source != NULL ? "; it was at " : "",
		source != NULL ? source : "");
	say_lost(pictures, text);
}

void pictures_open(struct host *host, const struct openai_outcome *outcome, struct pictures *pictures)
{
	json_t *artifact;
	size_t i;

	*pictures = (struct pictures){ .count = 0 };
	json_array_foreach(outcome->artifacts, i, artifact) {
		if (pictures->count == PICTURES_MOST)
			say_lost(pictures, "an answer has at most 10 pictures: the job has the others");
		else if (openai_artifact_is(artifact, media))
			open_one(host, artifact, pictures);
		else if (json_text(artifact, "error") != NULL || json_text(artifact, "sha256") == NULL)
			explain_unkept(artifact, pictures);
	}
}

bool pictures_make(const struct placeholder *placeholder, int count, bool drawn, struct pictures *pictures)
{
	struct placeholder one = *placeholder;

	*pictures = (struct pictures){ .count = 0 };
	name_format(pictures, media_type(placeholder->format));
	snprintf(pictures->size, sizeof pictures->size, "%dx%d", placeholder->width, placeholder->height);
	for (; pictures->count < count && pictures->count < PICTURES_MOST; pictures->count++) {
		struct buffer *made = &pictures->made[pictures->count];

		one.n = pictures->count;
		buffer_init(made, LIMIT_REPLY_BYTES);
		if (drawn && !placeholder_make(&one, made))
			return false;
		pictures->files[one.n] = (struct http_filling){ .bytes = buffer_begin(made), .length = (int64_t)made->length };
		pictures->numbers[one.n] = one.n;
	}
	return true;
}

void pictures_close(struct pictures *pictures)
{
	for (int i = 0; i < PICTURES_MOST; i++) {
		if (i < pictures->count && pictures->files[i].bytes == NULL)
			close(pictures->files[i].descriptor);
		buffer_free(&pictures->made[i]);
	}
}
