// stream.js - the host's events by fetch(): an EventSource hears only the names it was told, and hides 401, 503 and Retry-After.

import { url, Problem } from "./api.js";
import { parse } from "./exact.js";

/** Splits what comes into blocks (HTML standard, 9.2.6); what is left of a block waits for more. */
function reader(onEvent) {
  let rest = "";
  return text => {
    const blocks = (rest + text).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const fields = {};
      for (const line of block.split("\n")) {
        const [, name, value] = /^([^:]*):? ?(.*)$/.exec(line);
        fields[name] = name === "data" && fields.data !== undefined ? `${fields.data}\n${value}` : value;
      }
      onEvent(fields);
    }
  };
}

/**
 * Reads one stream until it ends. onBegin() when the host has answered; onEvents(list of CloudEvents, last id) for what one read brought.
 * Fails with a Problem; ends quietly when `signal` is aborted.
 */
export async function readStream({ path, query, last, signal, onBegin, onEvents }) {
  let response;
  try {
    response = await fetch(url(path, query), {
      signal, cache: "no-store", credentials: "same-origin", headers: { Accept: "text/event-stream", ...(last ? { "Last-Event-ID": last } : {}) },
    });
  } catch {
    if (signal.aborted) return;
    throw new Problem(0);
  }
  if (!response.ok) throw new Problem(response.status, null, response.headers);
  let id = last, events = [];
  const read = reader(fields => {
    if (fields.id !== undefined) id = fields.id;
    if (fields.data !== undefined) events.push(parse(fields.data));
  });
  onBegin();
  const chunks = response.body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { done, value } = await chunks.read();
      if (done) return;
      read(value);
      onEvents(events, id);
      events = [];
    }
  } catch {
    if (!signal.aborted) throw new Problem(0);
  }
}
