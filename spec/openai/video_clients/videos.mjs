// Makes a video with a client as it is, and prints as one line of JSON what the client gave to its caller.
//
//   node videos.mjs CALL '{"base":"http://127.0.0.1:8001/v1","key":"...","create":{"model":"runway/gen4.5","prompt":"a cat"}, ...}'
//
// CALL is a name of `calls` below.
import { createReadStream, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { generateVideo, getVideoJobStatus } from "@tanstack/ai";
import { createOpenaiVideo } from "@tanstack/ai-openai";
import OpenAI, { toFile } from "openai";

const client = (told) =>
  new OpenAI({ baseURL: told.base, apiKey: told.key, defaultHeaders: told.headers, maxRetries: told.maxRetries ?? 2 });

const POLLS = 400;

// What Python's client.videos.create_and_poll() does: the first openai-poll-after-ms counts, and any status but these two goes on.
async function poll(videos, id, hurry) {
  let pause;
  for (let polls = 1; polls <= POLLS; polls++) {
    const { data, response } = await videos
      .retrieve(id, { headers: { "X-Stainless-Poll-Helper": "true" } })
      .withResponse();
    if (data.status !== "queued" && data.status !== "in_progress") return { video: data, polls, pause };
    pause ??= Number(response.headers.get("openai-poll-after-ms") ?? 1000);
    await sleep(pause / hurry);
  }
  throw new Error("it does not end");
}

async function content(videos, id, query, options) {
  const answer = await videos.downloadContent(id, query, options);
  const bytes = Buffer.from(await answer.arrayBuffer());
  return {
    status: answer.status, type: answer.headers.get("content-type"), dry: answer.headers.get("x-providerd-dry-run"),
    url: new URL(answer.url).pathname, bytes: bytes.length, brand: bytes.subarray(4, 8).toString("latin1"),
  };
}

const calls = {
  async create(told) {
    const { data, response } = await client(told).videos.create(told.create).withResponse();
    return { video: data, dry: response.headers.get("x-providerd-dry-run"), request_id: data._request_id };
  },

  async whole(told) {
    const videos = client(told).videos;
    const created = await videos.create(told.create);
    const { video, polls, pause } = await poll(videos, created.id, told.hurry ?? 20);
    const downloaded = video.status === "completed" ? await content(videos, video.id, { variant: "video" }) : null;
    return { created, video, polls, pause, content: downloaded };
  },

  async file(told) {
    const reference = await toFile(readFileSync(told.file), told.name ?? "upload", { type: told.type });
    return calls.whole({ ...told, create: { ...told.create, input_reference: reference } });
  },

  // As a stream it is sent in chunks, without a Content-Length.
  async stream(told) {
    return calls.whole({ ...told, create: { ...told.create, input_reference: createReadStream(told.file) } });
  },

  async list(told) {
    const ids = [];
    for await (const video of client(told).videos.list(told.query)) ids.push(video.id);
    return { ids };
  },

  async retrieve(told) {
    return { video: await client(told).videos.retrieve(told.id) };
  },

  async content(told) {
    return content(client(told).videos, told.id, told.query);
  },

  async delete(told) {
    return client(told).videos.delete(told.id);
  },

  async remix(told) {
    return client(told).videos.remix(told.id, { prompt: "another" });
  },

  async edit(told) {
    return client(told).videos.edit({ prompt: "another", video: { id: told.id } });
  },

  async extend(told) {
    return client(told).videos.extend({ prompt: "another", video: { id: told.id }, seconds: "4" });
  },

  async tanstack(told) {
    const adapter = createOpenaiVideo("sora-2", told.key, { baseURL: told.base, defaultHeaders: told.headers });
    const { jobId } = await generateVideo({ adapter, ...told.create });
    for (let polls = 1; polls <= POLLS; polls++) {
      const status = await getVideoJobStatus({ adapter, jobId });
      if (status.status === "completed" || status.status === "failed") {
        return { jobId, status: status.status, progress: status.progress, url: status.url?.slice(0, 30), error: status.error };
      }
      await sleep(100);
    }
    throw new Error("it does not end");
  },
};

const [, , call, text] = process.argv;
try {
  console.log(JSON.stringify({ ok: await calls[call](JSON.parse(text)) }));
} catch (error) {
  const { status, code, type, param, message, requestID } = error;
  console.log(JSON.stringify({ error: { class: error.constructor.name, status, code, type, param, message, request_id: requestID } }));
}
