/* task_brief.h - a row of the registry as lists and streams show it: what stands in a line, without payload and result. Any thread. */
#pragma once

#include "base/buffer.h"
#include "base/json_span.h"
#include "registry/task.h"

/* Appends the members without the braces. The prompt is cut to LIMIT_BRIEF_PROMPT_CHARACTERS. */
void task_brief_write_members(struct buffer *out, const struct task *task);

/* The prompt as a text of the payload; anything but a text when there is none. */
struct json_span task_brief_prompt(const struct task *task);

/* What was asked for, as a part of these: prompt and model, a comma after each. */
void task_brief_write_request(struct buffer *out, const struct task *task);
