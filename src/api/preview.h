/* preview.h - what a submit or generate would do, without doing it. */
#pragma once

struct incoming;

/* Answers with what the submit would have answered: nothing is registered, reserved or sent, and no event tells of it. HTTP thread. */
void preview_handle(struct incoming *incoming);
