/* stream_reader.h - reads an event stream (text/event-stream) as its bytes come. */
#pragma once

#include "base/buffer.h"

struct stream_reader {
	void (*event)(void *context, const char *id, const char *data);
	void *context;
	struct buffer line;
	struct buffer data;
	char id[40];	  /* of the last event that was had, or "": what to resume with */
	char next_id[40]; /* of the one being read */
};

void stream_reader_open(
	struct stream_reader *reader, void (*event)(void *context, const char *id, const char *data), void *context);
void stream_reader_close(struct stream_reader *reader);

/* Before the first byte of a connection: what an earlier one left unfinished is forgotten. */
void stream_reader_begin(struct stream_reader *reader);

/* Calls `event` for each event that is complete. */
void stream_reader_take(struct stream_reader *reader, const char *bytes, size_t length);
