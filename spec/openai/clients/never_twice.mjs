// Creates of images by the official SDK's own retry logic, through a proxy that cuts them at random. Prints a line of JSON for each call when it
// is over, and at the end one with what happened to the requests. The host may be killed and started again at the same port meanwhile.
//
//   node never_twice.mjs '{"port": 8001, "calls": 100, "seed": 1, "at_once": 32, "prefix": "twice"}'
//
// Some calls come in pairs: two equal ones at the same moment, which are two calls.
import OpenAI from "openai";
import { FATES, cuttingProxy } from "./cutting_proxy.mjs";

const options = { at_once: 32, seed: 1, prefix: "twice", cuts: 0.35, pairs: 0.1, model: "fal/flux", ...JSON.parse(process.argv[2]) };

function dice(seed) { // mulberry32
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
const roll = dice(options.seed);
const pick = (list) => list[Math.floor(roll() * list.length)];

const CUTS = Object.keys(FATES).filter((fate) => fate !== "pass");
const counts = { requests: 0, repeats: 0 };
const touched = new Set(); // prompts of requests to which something happened
const histories = new Map(); // prompt -> what its requests met: "repeat:fate at"

const prompt_of = (body) => JSON.parse(body).prompt;
const proxy = await cuttingProxy({
  target: () => options.port,
  delay: () => 5 + roll() * 400,
  fate: () => (roll() < options.cuts ? pick(CUTS) : "pass"),
  note(request, fate) {
    counts.requests++;
    counts[fate] = (counts[fate] ?? 0) + 1;
    if (request.count > 0) counts.repeats++;
    const prompt = prompt_of(request.body);
    if (!histories.has(prompt)) histories.set(prompt, []);
    histories.get(prompt).push(`${request.count}:${fate} ${new Date().toISOString().slice(17, 23)}`);
    if (fate !== "pass" || request.count > 0) touched.add(prompt);
  },
  told(status, body) { // what the client would repeat
    if (status < 500 && ![408, 409, 429].includes(status)) return;
    let code = "";
    try { code = JSON.parse(body).error.code; } catch { /* no error of ours */ }
    counts[`host said ${status} ${code}`] = (counts[`host said ${status} ${code}`] ?? 0) + 1;
  },
});

// Patience and tries as users set them; live by the base URL, or by the body.
function client() {
  const live = roll() < 0.5;
  const openai = new OpenAI({
    apiKey: options.key ?? "none", baseURL: `http://127.0.0.1:${proxy.port}${live ? "/live" : ""}/v1`,
    maxRetries: pick([2, 2, 2, 3, 5]), timeout: roll() < 0.15 ? 150 + roll() * 1500 : 60000,
  });
  return { openai, extra: live ? {} : { dry_run: false } };
}

async function call({ openai, extra }, prompt) {
  const began = Date.now();
  const over = { prompt };
  try {
    const { data: images, response } = await openai.images.generate({ model: options.model, prompt, size: "512x512", ...extra }).withResponse();
    over.ok = images.data.length === 1 && Buffer.from(images.data[0].b64_json, "base64").length > 100;
    over.job = response.headers.get("x-providerd-job-id") ?? images.providerd?.job_id;
  } catch (error) {
    over.ok = false;
    over.status = error.status;
    over.code = error.code ?? undefined;
    over.error = error.constructor.name;
    over.message = error.message?.slice(0, 300);
    over.job = error.error?.providerd?.job_id;
  }
  over.ms = Date.now() - began;
  return over;
}

function tell(over) {
  over.touched = touched.has(over.prompt);
  over.history = (histories.get(over.prompt) ?? []).join(", ");
  console.log(JSON.stringify(over));
}

let next = 0;
async function worker() {
  while (next < options.calls) {
    const prompt = `${options.prefix}-${next}.`;
    const mine = client();
    const pair = roll() < options.pairs && next + 2 <= options.calls;
    next += pair ? 2 : 1;
    const results = await Promise.all(pair ? [call(mine, prompt), call(mine, prompt)] : [call(mine, prompt)]);
    for (const result of results) tell({ ...result, pair });
  }
}

await Promise.all(Array.from({ length: options.at_once }, worker));
console.log(JSON.stringify({ end: counts }));
proxy.close();
process.exit(0);
