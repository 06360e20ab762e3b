// Makes a picture with a client as it is, and prints as one line of JSON what the client gave to its caller.
//
//   node pictures.mjs CALL '{"base":"http://127.0.0.1:8001/v1","key":"...","model":"fal/flux","prompt":"a cat", ...}'
//
// CALL is a name of `calls` below. `extra` goes where the client takes what OpenAI's API does not have.
import { readFileSync } from "node:fs";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { DallEAPIWrapper } from "@langchain/openai";
import { generateImage } from "ai";
import OpenAI, { toFile } from "openai";

// ---- what a picture is

const PNG = [0x89, 0x50, 0x4e, 0x47];

// Width, height and texts of a PNG; of another file the first bytes.
function describe(bytes) {
  const view = Buffer.from(bytes);
  if (!PNG.every((byte, index) => view[index] === byte)) {
    return { bytes: view.length, begins: view.subarray(0, 4).toString("hex") };
  }
  const picture = { bytes: view.length, width: view.readUInt32BE(16), height: view.readUInt32BE(20), texts: [] };
  for (let at = 8; at + 8 <= view.length; at += 12 + view.readUInt32BE(at)) {
    const type = view.toString("latin1", at + 4, at + 8);
    if (type === "tEXt" || type === "iTXt") {
      picture.texts.push(view.toString("latin1", at + 8, at + 8 + view.readUInt32BE(at)));
    }
    if (type === "IEND") picture.whole = at + 12 === view.length;
  }
  return picture;
}

async function fetched(url) {
  const answer = await fetch(url);
  return { url, status: answer.status, type: answer.headers.get("content-type"), ...describe(await answer.arrayBuffer()) };
}

async function described(image) {
  return image.b64_json ? describe(Buffer.from(image.b64_json, "base64")) : fetched(image.url);
}

const ours = (headers) => Object.fromEntries([...headers.entries()].filter(([name]) => name.startsWith("x-providerd-")));

// ---- openai (Node)

function client(told) {
  const options = { baseURL: told.base, apiKey: told.key, defaultHeaders: told.headers };
  if (told.timeout) options.timeout = told.timeout;
  if (told.maxRetries !== undefined) options.maxRetries = told.maxRetries;
  return new OpenAI(options);
}

async function answered(promise) {
  const { data, response } = await promise.withResponse();
  const pictures = [];
  for (const image of data.data) pictures.push(await described(image));
  return { pictures, size: data.size, output_format: data.output_format, providerd: data.providerd, headers: ours(response.headers),
    request_id: data._request_id };
}

const body = (told) => ({ model: told.model, prompt: told.prompt, ...told.fields, ...told.extra });

async function openaiGenerate(told) {
  const options = told.callTimeout ? { timeout: told.callTimeout } : {};
  if (told.idempotency) options.headers = { "Idempotency-Key": told.idempotency };
  return answered(client(told).images.generate(body(told), options));
}

async function openaiEdit(told) {
  const image = await toFile(readFileSync(told.image), "cat.png", { type: "image/png" });
  return answered(client(told).images.edit({ ...body(told), image }));
}

async function openaiStream(told) {
  const events = [];
  const stream = await client(told).images.generate({ ...body(told), stream: true });
  for await (const event of stream) {
    const { b64_json, ...rest } = event;
    events.push({ ...rest, picture: b64_json ? describe(Buffer.from(b64_json, "base64")) : undefined });
  }
  return { events };
}

// ---- ai (Vercel)

async function aiGenerate(told, model) {
  const made = await generateImage({ model, prompt: told.prompt, headers: told.callHeaders, providerOptions: told.providerOptions,
    ...told.fields });
  return { pictures: made.images.map((image) => ({ ...describe(image.uint8Array), type: image.mediaType })),
    headers: made.responses.map((response) => response.headers), warnings: made.warnings };
}

async function aiOpenai(told) {
  const provider = createOpenAI({ baseURL: told.base, apiKey: told.key, headers: told.headers });
  return aiGenerate(told, provider.image(told.model));
}

async function aiCompatible(told) {
  const provider = createOpenAICompatible({ name: "providerd", baseURL: told.base, apiKey: told.key, headers: told.headers });
  return aiGenerate(told, provider.imageModel(told.model));
}

// ---- LangChain

async function langchain(told) {
  const tool = new DallEAPIWrapper({ apiKey: told.key, openAIApiKey: told.key, model: told.model, baseUrl: told.base, ...told.fields });
  const made = await tool.invoke(told.prompt);
  const urls = Array.isArray(made) ? made.map((part) => part.image_url) : [made];
  const pictures = [];
  for (const url of urls) pictures.push(await fetched(url));
  return { pictures };
}

const calls = { openaiGenerate, openaiEdit, openaiStream, aiOpenai, aiCompatible, langchain };

try {
  console.log(JSON.stringify({ ok: await calls[process.argv[2]](JSON.parse(process.argv[3])) }));
} catch (error) {
  const { name, status, statusCode, code, type, param, message, responseBody } = error;
  console.log(JSON.stringify({ error: { name, status: status ?? statusCode, code, type, param, message, responseBody,
    providerd: error.error?.providerd } }));
}
