/* run_queue.c - see run_queue.h. Round robin between scripts, first come first served within one; what was begun goes before what was not. */
#include "engine/run_queue.h"

void run_queue_init(struct run_queue *queue)
{
	queue->first = NULL;
	queue->last = &queue->first;
}

static void queue_list(struct run_queue *queue, struct provider *provider)
{
	provider->line.listed = true;
	provider->line.next = NULL;
	*queue->last = provider;
	queue->last = &provider->line.next;
}

/* The script that `link` points to leaves the list. */
static void queue_unlist(struct run_queue *queue, struct provider **link)
{
	struct provider *provider = *link;

	*link = provider->line.next;
	if (queue->last == &provider->line.next)
		queue->last = link;
	provider->line.listed = false;
}

static bool line_is_empty(const struct script_line *line)
{
	return line->paused == NULL && line->answered == NULL && line->fresh == NULL;
}

static void line_append(struct engine_call **first, struct engine_call ***last, struct engine_call *call)
{
	if (*first == NULL)
		*last = first;
	call->next = NULL;
	**last = call;
	*last = &call->next;
}

void run_queue_add(struct run_queue *queue, struct engine_call *call, enum run_kind kind)
{
	struct script_line *line = &call->call.provider->line;

	switch (kind) {
	case RUN_PAUSED: line->paused = call; break;
	case RUN_ANSWERED: line_append(&line->answered, &line->last_answered, call); break;
	case RUN_FRESH:
		line_append(&line->fresh, &line->last_fresh, call);
		line->fresh_count += !call->here;
		break;
	}
	if (!line->listed)
		queue_list(queue, call->call.provider);
}

bool run_queue_withdraw(struct run_queue *queue, struct engine_call *call)
{
	struct script_line *line = &call->call.provider->line;
	struct engine_call **link = &line->fresh;
	struct provider **place = &queue->first;

	while (*link != NULL && *link != call)
		link = &(*link)->next;
	if (*link == NULL)
		return false;
	*link = call->next;
	if (call->next == NULL)
		line->last_fresh = link;
	line->fresh_count -= !call->here;
	if (!line_is_empty(line))
		return true;
	while (*place != call->call.provider)
		place = &(*place)->line.next;
	queue_unlist(queue, place);
	return true;
}

static struct engine_call *line_take(struct script_line *line, enum run_kind *kind)
{
	struct engine_call *call;

	if ((call = line->paused) != NULL) {
		*kind = RUN_PAUSED;
		line->paused = NULL;
	} else if ((call = line->answered) != NULL) {
		*kind = RUN_ANSWERED;
		line->answered = call->next;
	} else {
		*kind = RUN_FRESH;
		call = line->fresh;
		line->fresh = call->next;
		line->fresh_count -= !call->here;
	}
	return call;
}

struct engine_call *run_queue_take(struct run_queue *queue, int64_t now_ns, enum run_kind *kind)
{
	struct provider **link = &queue->first, *provider;
	struct engine_call *call;

	while (*link != NULL && (*link)->line.not_before_ns > now_ns)
		link = &(*link)->line.next;
	if ((provider = *link) == NULL)
		return NULL;
	queue_unlist(queue, link);
	call = line_take(&provider->line, kind);
	if (!line_is_empty(&provider->line))
		queue_list(queue, provider);
	return call;
}

int64_t run_queue_due(const struct run_queue *queue)
{
	int64_t due = INT64_MAX;

	for (const struct provider *provider = queue->first; provider != NULL; provider = provider->line.next)
		if (provider->line.not_before_ns < due)
			due = provider->line.not_before_ns;
	return due;
}
