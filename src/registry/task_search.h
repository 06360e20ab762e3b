/* task_search.h - finds jobs by words of their prompt, or by their ids. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/id.h"
#include "base/limits.h"
#include "registry/task.h"

/* What is looked for. Immutable once it is read. */
struct task_search {
	char text[LIMIT_SEARCH_BYTES + 1]; /* as it was given, without blanks at both ends */
	char lower[LIMIT_SEARCH_BYTES + 1];
	const char *words[LIMIT_SEARCH_WORDS]; /* within `lower` */
	size_t lengths[LIMIT_SEARCH_WORDS];
	size_t count; /* 0: nothing is looked for, and everything found */
	struct id id;
	bool is_id; /* `text` is one */
};

/* Reads words of UTF-8, separated by blanks. NULL, or what is wrong with them: the search is not to be used then. The search must not be moved. */
const char *task_search_read(struct task_search *search, const char *text);

/* Is each word found, in either letter case: in the prompt, at the beginning of an id, or if it is long enough anywhere in one? Ids are the job's, the
 * vendor's and the request's. Any thread. */
bool task_search_finds(const struct task_search *search, const struct task *task);

/* Is the whole text one of the ids? */
bool task_search_names(const struct task_search *search, const struct task *task);
