/* submit.h - submit and generate. */
#pragma once

struct incoming;
struct submission;

/* Answers a submit or generate, of a dry run or a live job. HTTP thread. */
void submit_handle(struct incoming *incoming);

/* Says why there is nothing to write, as submission->refused has it. HTTP thread. */
void submit_send_refused(struct submission *submission, struct incoming *incoming);
