// clients.mjs - runs the vendors' own clients against a simulator. Usage: node clients.mjs http://127.0.0.1:PORT
//
// Prints one line for each check, "ok NAME" or "not ok NAME: WHY". Clients without a base URL of their own get a fetch, or an
// axios, that goes to the simulator. Nothing leaves this machine.
import assert from "node:assert/strict";
import { createHash, createPublicKey, verify } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";

const SIM = process.argv[2];
const require = createRequire(import.meta.url);

// https://queue.fal.run/x as http://127.0.0.1:PORT/queue.fal.run/x
const detour = (url) => String(url).replace(/^https:\/\//, SIM + "/");
const fetchThere = (input, init) => {
  if (!(input instanceof Request)) return fetch(detour(input), init);
  return fetch(new Request(detour(input.url), input), init);
};
globalThis.fetch = ((own) => (input, init) => own(typeof input === "string" ? detour(input) : input, init))(globalThis.fetch);

async function until(seconds, test) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const value = await test();
    if (value) return value;
    if (Date.now() > end) throw new Error("not within " + seconds + " s");
    await new Promise((wake) => setTimeout(wake, 50));
  }
}

// Receives webhooks: (await inbox.take(path)) is { headers, body }.
async function openInbox() {
  const seen = [];
  const server = http.createServer((request, answer) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
      seen.push({ path: request.url, headers: request.headers, body: Buffer.concat(parts).toString() });
      answer.end("ok");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: (path) => `http://127.0.0.1:${server.address().port}${path}`,
    take: (path) => until(5, () => seen.find((one) => one.path === path)),
    close: () => server.close(),
  };
}

const isPng = (bytes) => Buffer.from(bytes).subarray(1, 4).toString() === "PNG";
const download = async (url) => Buffer.from(await (await fetch(url)).arrayBuffer());

const checks = {
  async replicate(check, inbox) {
    const { default: Replicate, validateWebhook } = await import("replicate");
    const client = new Replicate({ auth: "r8_key", baseUrl: SIM + "/api.replicate.com/v1", fetch: fetchThere });
    const model = "black-forest-labs/flux-schnell";
    // The client makes file objects of https URLs only; a simulator's stay text.
    const bytesOf = async (file) => (typeof file === "string" ? download(file) : (await file.blob()).arrayBuffer());
    await check("run", async () => {
      const output = await client.run(model, { input: { prompt: "a cat" }, wait: { mode: "poll", interval: 100 } });
      assert.ok(isPng(await bytesOf(output[0])));
    });
    await check("run that blocks", async () => {
      const output = await client.run(model, { input: { prompt: "a cat" } });
      assert.ok(isPng(await bytesOf(output[0])));
    });
    await check("create, get, wait, list", async () => {
      const made = await client.predictions.create({ model, input: { prompt: "a cat" } });
      assert.equal(made.status, "starting");
      assert.equal((await client.predictions.get(made.id)).id, made.id);
      const done = await client.wait(made, { interval: 100 });
      assert.equal(done.status, "succeeded");
      assert.ok((await client.predictions.list()).results.some((one) => one.id === made.id));
    });
    await check("create by version, with a file", async () => {
      const version = "5c7d5dc6dd8bf75c1acaa8565735e7986bc5b66206b55cca93cb72c9bf15ccaa";
      const input = { prompt: "a cat", image: Buffer.alloc(300000, 7) };
      const made = await client.predictions.create({ version, input });
      assert.match(made.input.image, /\/v1\/files\//);
    });
    await check("create on a deployment", async () => {
      const made = await client.deployments.predictions.create("acme", "app", { input: { prompt: "x" } });
      assert.equal(made.deployment, "acme/app");
    });
    await check("cancel", async () => {
      const made = await client.predictions.create({ model, input: { prompt: "a cat" } });
      await client.predictions.cancel(made.id);
      assert.equal((await client.predictions.get(made.id)).status, "canceled");
    });
    await check("stream", async () => {
      let text = "";
      const stream = client.stream("meta/meta-llama-3-8b-instruct", { input: { prompt: "hi", max_tokens: 9 } });
      for await (const event of stream) text += event.event === "output" ? event.data : "";
      assert.match(text, /Fuzzy/);
    });
    await check("webhook whose signature is valid", async () => {
      await client.predictions.create({
        model, input: { prompt: "a cat" }, webhook: inbox.url("/replicate"), webhook_events_filter: ["completed"],
      });
      const { headers, body } = await inbox.take("/replicate");
      const secret = (await client.webhooks.default.secret.get()).key;
      const delivery = {
        id: headers["webhook-id"], timestamp: headers["webhook-timestamp"], signature: headers["webhook-signature"], secret,
      };
      assert.equal(await validateWebhook({ ...delivery, body }), true);
      assert.equal(await validateWebhook({ ...delivery, body: body + " " }), false);
    });
    await check("account, hardware, model", async () => {
      assert.ok((await client.accounts.current()).username);
      assert.ok((await client.hardware.list()).length > 0);
      assert.ok((await client.models.get("stability-ai", "sdxl")).latest_version.id);
    });
    await check("a key that is refused", async () => {
      const other = new Replicate({ auth: "wrong", baseUrl: SIM + "/api.replicate.com/v1", fetch: fetchThere });
      await assert.rejects(other.accounts.current(), (error) => error.response.status === 401);
    });
  },

  async fal(check, inbox) {
    const { createFalClient } = await import("@fal-ai/client");
    const client = createFalClient({ credentials: "id:secret", fetch: fetchThere });
    const input = { prompt: "a cat", image_size: { width: 64, height: 64 }, output_format: "png" };
    await check("subscribe", async () => {
      const states = new Set();
      const { data, requestId } = await client.subscribe("fal-ai/flux/dev", {
        input, logs: true, pollInterval: 50, onQueueUpdate: (update) => states.add(update.status),
      });
      assert.ok(requestId && states.has("COMPLETED"));
      assert.ok(isPng(await download(data.images[0].url)));
    });
    await check("submit, status, result", async () => {
      const { request_id: requestId } = await client.queue.submit("fal-ai/flux/schnell", { input, priority: "low" });
      await until(5, async () => (await client.queue.status("fal-ai/flux/schnell", { requestId })).status === "COMPLETED");
      assert.equal((await client.queue.result("fal-ai/flux/schnell", { requestId })).data.images.length, 1);
    });
    await check("streamed status", async () => {
      const { request_id: requestId } = await client.queue.submit("fal-ai/flux/schnell", { input });
      const done = await client.queue.subscribeToStatus("fal-ai/flux/schnell", { requestId, mode: "streaming" });
      assert.equal(done.status, "COMPLETED");
    });
    await check("cancel", async () => {
      const { request_id: requestId } = await client.queue.submit("fal-ai/flux/schnell", { input });
      await client.queue.cancel("fal-ai/flux/schnell", { requestId });
    });
    await check("run on the synchronous host", async () => {
      assert.equal((await client.run("fal-ai/flux/schnell", { input })).data.images.length, 1);
    });
    await check("an input that is refused", async () => {
      const bad = client.run("fal-ai/flux/schnell", { input: { num_images: 9 } });
      await assert.rejects(bad, (error) => error.status === 422 && error.body.detail.length > 0);
    });
    await check("upload", async () => {
      const url = await client.storage.upload(new Blob(["hello"], { type: "text/plain" }));
      assert.equal((await download(url)).toString(), "hello");
    });
    await check("webhook whose signature is valid", async () => {
      await client.queue.submit("fal-ai/flux/schnell", { input, webhookUrl: inbox.url("/fal") });
      const { headers, body } = await inbox.take("/fal");
      const message = [
        headers["x-fal-webhook-request-id"], headers["x-fal-webhook-user-id"], headers["x-fal-webhook-timestamp"],
        createHash("sha256").update(body).digest("hex"),
      ].join("\n");
      const { keys } = await (await fetchThere("https://rest.fal.ai/.well-known/jwks.json")).json();
      const signature = Buffer.from(headers["x-fal-webhook-signature"], "hex");
      const good = keys.some((jwk) =>
        verify(null, Buffer.from(message), createPublicKey({ key: jwk, format: "jwk" }), signature));
      assert.ok(good && JSON.parse(body).status === "OK");
    });
    await check("Pika's models", async () => {
      const { data } = await client.subscribe("fal-ai/pika/v2.2/text-to-video", { input: { prompt: "a cat" }, pollInterval: 50 });
      assert.equal((await download(data.video.url)).subarray(4, 8).toString(), "ftyp");
    });
    await check("a key that is refused", async () => {
      const other = createFalClient({ credentials: "wrong", fetch: fetchThere });
      await assert.rejects(other.queue.submit("fal-ai/flux/schnell", { input }), (error) => error.status === 401);
    });
  },

  async runway(check) {
    const { default: RunwayML } = await import("@runwayml/sdk");
    const options = { apiKey: "key_1", baseURL: SIM + "/api.dev.runwayml.com", maxRetries: 0 };
    const client = new RunwayML(options);
    const body = { model: "gen4.5", promptText: "a cat", ratio: "1280:720", duration: 5 };
    await check("text to video, wait for the output", async () => {
      const task = await client.textToVideo.create(body).waitForTaskOutput({ timeout: 20000 });
      assert.equal((await download(task.output[0])).subarray(4, 8).toString(), "ftyp");
    });
    await check("image to video, retrieve", async () => {
      const made = await client.imageToVideo.create({ ...body, promptImage: "https://example.com/a.png" });
      assert.ok(["PENDING", "RUNNING"].includes((await client.tasks.retrieve(made.id)).status));
    });
    await check("text to image", async () => {
      const made = await client.textToImage.create({ model: "gen4_image", promptText: "a cat", ratio: "1280:720" });
      await until(5, async () => (await client.tasks.retrieve(made.id)).status === "SUCCEEDED");
    });
    await check("cancel, then what it cost", async () => {
      const made = await client.textToVideo.create(body);
      await client.tasks.delete(made.id);
      assert.equal((await client.tasks.retrieve(made.id)).status, "CANCELLED");
    });
    await check("upload", async () => {
      const made = await client.uploads.createEphemeral({ file: new File(["x"], "a.png", { type: "image/png" }) });
      assert.match(made.uri, /^runway:\/\//);
    });
    await check("organization", async () => assert.ok((await client.organization.retrieve()).creditBalance >= 0));
    await check("a ratio that is refused", async () => {
      await assert.rejects(client.textToVideo.create({ ...body, ratio: "1280:768" }), (error) => error.status === 400);
    });
    await check("a key that is refused", async () => {
      await assert.rejects(new RunwayML({ ...options, apiKey: "wrong" }).organization.retrieve(), (error) => error.status === 401);
    });
  },

  async luma(check, inbox) {
    const { default: LumaAI } = await import("lumaai");
    const options = { authToken: "luma-key", baseURL: SIM + "/api.lumalabs.ai/dream-machine/v1", maxRetries: 0 };
    const client = new LumaAI(options);
    const body = { model: "ray-2", prompt: "a cat", resolution: "720p", duration: "5s" };
    const completed = (id) => until(5, async () => {
      const generation = await client.generations.get(id);
      return generation.state === "completed" && generation;
    });
    await check("video, get, list, upscale, audio", async () => {
      const made = await client.generations.video.create(body);
      assert.equal(made.state, "queued");
      const done = await completed(made.id);
      assert.equal((await download(done.assets.video)).subarray(4, 8).toString(), "ftyp");
      assert.ok((await client.generations.list({ limit: 5, offset: 0 })).generations.some((one) => one.id === made.id));
      await client.generations.upscale(made.id, { generation_type: "upscale_video", resolution: "1080p" });
      await client.generations.audio(made.id, { generation_type: "add_audio", prompt: "purring" });
    });
    await check("create under its older name", async () => assert.ok((await client.generations.create(body)).id));
    await check("image", async () => {
      const made = await client.generations.image.create({ model: "photon-1", prompt: "a cat", format: "png" });
      assert.ok(isPng(await download((await completed(made.id)).assets.image)));
    });
    await check("callback", async () => {
      await client.generations.video.create({ ...body, callback_url: inbox.url("/luma") });
      assert.ok(JSON.parse((await inbox.take("/luma")).body).id);
    });
    await check("delete", async () => {
      const made = await client.generations.video.create(body);
      await client.generations.delete(made.id);
      await assert.rejects(client.generations.get(made.id), (error) => error.status === 404);
    });
    await check("ping, credits, concepts", async () => {
      assert.ok((await client.ping.check()).message);
      assert.ok((await client.credits.get()).credit_balance > 0);
      assert.ok((await client.generations.concepts.list()).length > 0);
    });
    await check("a prompt that is refused", async () => {
      await assert.rejects(client.generations.video.create({ ...body, prompt: "a" }), (error) => error.status === 400);
    });
    await check("a key that is refused", async () => {
      await assert.rejects(new LumaAI({ ...options, authToken: "wrong" }).ping.check(), (error) => error.status === 401);
    });
  },

  async runpod(check) {
    const { default: runpod } = await import("runpod-sdk");
    const endpoint = runpod("rpa_KEY", { baseUrl: SIM + "/api.runpod.ai/v2" }).endpoint("abc123");
    const request = { input: { prompt: "a cat", width: 64, height: 64 } };
    await check("run, status", async () => {
      const { id } = await endpoint.run(request);
      const done = await until(5, async () => {
        const job = await endpoint.status(id);
        return job.status === "COMPLETED" && job;
      });
      assert.ok(isPng(Buffer.from(done.output.images[0], "base64")));
    });
    await check("runSync", async () => assert.equal((await endpoint.runSync(request)).status, "COMPLETED"));
    await check("stream", async () => {
      const { id } = await endpoint.run(request);
      const parts = [];
      for await (const part of endpoint.stream(id)) parts.push(part);
      assert.ok(parts.length > 0);
    });
    await check("cancel", async () => {
      const { id } = await endpoint.run(request);
      assert.equal((await endpoint.cancel(id)).status, "CANCELLED");
    });
    await check("health, purge", async () => {
      assert.ok((await endpoint.health()).jobs.completed > 0);
      assert.equal((await endpoint.purgeQueue()).status, "completed");
    });
    await check("a paused endpoint", async () => {
      const paused = runpod("rpa_KEY", { baseUrl: SIM + "/api.runpod.ai/v2" }).endpoint("paused1");
      await assert.rejects(paused.run(request));
    });
  },

  async huggingface(check) {
    const { InferenceClient } = await import("@huggingface/inference");
    const endpointUrl = SIM + "/abc.us-east-1.aws.endpoints.huggingface.cloud";
    const client = new InferenceClient("hf_key", { endpointUrl });
    await check("text to image", async () => {
      const image = await client.textToImage({ inputs: "a cat", parameters: { width: 64, height: 64 } }, { outputType: "blob" });
      assert.ok(isPng(await image.arrayBuffer()));
    });
    await check("chat", async () => {
      const answer = await client.chatCompletion({ model: "a/b", messages: [{ role: "user", content: "hi" }] });
      assert.equal(answer.choices[0].message.content, "hello");
    });
    await check("chat in a stream", async () => {
      let text = "";
      const stream = client.chatCompletionStream({ model: "a/b", messages: [{ role: "user", content: "hi" }] });
      for await (const chunk of stream) text += chunk.choices[0].delta.content ?? "";
      assert.equal(text, "4");
    });
    await check("speech recognition", async () => {
      const answer = await client.automaticSpeechRecognition({ data: new Blob(["RIFF"], { type: "audio/wav" }) });
      assert.equal(answer.text, "hello world");
    });
    await check("a key that is refused", async () => {
      const other = new InferenceClient("wrong", { endpointUrl });
      await assert.rejects(other.textToImage({ inputs: "a cat" }));
    });
  },

  async stability(check) {
    const axios = require(require.resolve("axios", { paths: [require.resolve("stability-ai")] }));
    axios.interceptors.request.use((config) => ({ ...config, url: detour(config.url) }));
    const { default: StabilityAI } = require("stability-ai");
    const client = new StabilityAI("sk-key");
    await check("core, ultra, sd3", async () => {
      for (const name of ["core", "ultra", "sd3"]) {
        const result = await client.v2beta.stableImage.generate[name]("a cat", { outputFormat: "png" });
        assert.ok(isPng(readFileSync(result.filepath)), name);
      }
    });
    await check("balance, account", async () => {
      assert.ok((await client.v1.user.balance()).credits >= 0);
      assert.ok((await client.v1.user.account()).email);
    });
    await check("a key that is refused", async () => {
      await assert.rejects(new StabilityAI("wrong").v2beta.stableImage.generate.core("a cat"));
    });
  },
};

async function runAll(vendor, run, inbox) {
  const told = (name, error) =>
    console.log(`not ok ${vendor}: ${name}: ${String(error?.stack ?? error).replaceAll("\n", " | ").slice(0, 600)}`);
  const check = async (name, test) => {
    try {
      await test();
      console.log(`ok ${vendor}: ${name}`);
    } catch (error) {
      told(name, error);
    }
  };
  try {
    await run(check, inbox);
  } catch (error) {
    told("starts", error);
  }
}

const inbox = await openInbox();
await Promise.all(Object.entries(checks).map(([vendor, run]) => runAll(vendor, run, inbox)));
inbox.close();
process.exit(0);
