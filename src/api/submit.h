/* submit.h - submit and generate. */
#pragma once

struct incoming;

/* Answers a submit or generate, of a dry run or a live job. HTTP thread. */
void submit_handle(struct incoming *incoming);
