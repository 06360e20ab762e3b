// Pictures by the AI SDK (Vercel), three at once for each call, which are three equal requests. It repeats a request that was cut without a word that it
// is one. The proxy does to them what a host can see; prints as never_twice.mjs does, a line for each picture.
import { createOpenAI } from "@ai-sdk/openai";
import { generateImage } from "ai";
import { cuttingProxy } from "./cutting_proxy.mjs";

const options = { at_once: 6, seed: 1, prefix: "twice", cuts: 0.25, model: "fal/flux", ...JSON.parse(process.argv[2]) };
const CUTS = ["before", "within", "head", "half", "gateway"];
const PICTURES = 3;

let state = options.seed * 7919;
const roll = () => { state = (state * 48271) % 2147483647; return state / 2147483647; };
const counts = { requests: 0, repeats: 0 };
const asked = new Map(); // prompt -> requests
const touched = new Set();

const proxy = await cuttingProxy({
  target: () => options.port,
  delay: () => 5 + roll() * 300,
  fate: () => (roll() < options.cuts ? CUTS[Math.floor(roll() * CUTS.length)] : "pass"),
  note(request, fate) {
    const { prompt } = JSON.parse(request.body);
    const times = (asked.get(prompt) ?? 0) + 1;
    asked.set(prompt, times);
    counts.requests++;
    counts[fate] = (counts[fate] ?? 0) + 1;
    if (times > PICTURES) counts.repeats++;
    if (fate !== "pass" || times > PICTURES) touched.add(prompt);
  },
});

const openai = createOpenAI({ apiKey: "none", baseURL: `http://127.0.0.1:${proxy.port}/live/v1` });

async function call(prompt) {
  try {
    const { images, responses } = await generateImage({ model: openai.image(options.model), prompt, n: PICTURES, size: "512x512", maxRetries: 3 });
    return images.map((image, i) => ({
      prompt, ok: image.uint8Array.length > 100, job: responses[i]?.headers?.["x-providerd-job-id"], touched: touched.has(prompt),
    }));
  } catch (error) {
    const last = error.lastError ?? error;
    return Array.from({ length: PICTURES }, () => ({
      prompt, ok: false, status: last.statusCode, error: last.name, message: String(last.message).slice(0, 300), touched: true,
    }));
  }
}

let next = 0;
async function worker() {
  while (next < options.calls) {
    for (const picture of await call(`${options.prefix}-${next++}.`)) console.log(JSON.stringify(picture));
  }
}

await Promise.all(Array.from({ length: options.at_once }, worker));
console.log(JSON.stringify({ end: counts }));
proxy.close();
process.exit(0);
