/* task_json.h - a row of the registry as clients see it. */
#pragma once

#include "base/buffer.h"
#include "registry/task.h"

/* Appends the whole task as an object. */
void task_json_write(struct buffer *out, const struct task *task);

/* The same members without the braces. */
void task_json_write_members(struct buffer *out, const struct task *task);

/* Appends job_id, status and progress as members, a comma after each. */
void task_json_write_standing(struct buffer *out, const struct task *task);

/* Appends job_id, status, progress, artifacts and the times as members, a comma after each: what poll tells. */
void task_json_write_state(struct buffer *out, const struct task *task);

/* Appends the job's own figures: { reserved_usd, spent_usd, basis, estimated_usd }; null for a dry run. */
void task_json_write_money(struct buffer *out, const struct task_money *money);
