/* call_problem.h - the answers to a call that came to no outcome: it was refused, given up, or its script failed. Each sends one. HTTP threads. */
#pragma once

#include "api/incoming.h"

/* Its script rests, or did when the call's turn came. */
void call_problem_resting(struct incoming *incoming);

/* As many calls wait for its script as may; or for the engine. To be tried again after so many seconds. */
void call_problem_crowded(struct incoming *incoming, int seconds);
void call_problem_busy(struct incoming *incoming, int seconds);

/* It was given up, before anything was done. */
void call_problem_late(struct incoming *incoming, const char *why, int seconds);

/* Why it was, for one. */
extern const char call_left_early[];

/* The commit of its row has begun and does not end: the truth is that nobody knows yet. Whatever becomes of it, the registry will say. */
void call_problem_unsure(struct incoming *incoming, const struct id *id);

/* Of a call whose outcome is not an answer of the script: bad input (its error names the field), a script that rests or failed. */
void call_problem_failed(struct incoming *incoming, const struct script_call *call);
