// What an agent does, by an official client: node agent.mjs CLIENT TRANSPORT STEPS, where
//   CLIENT     pin, auto, default (of @modelcontextprotocol/client), old (of @modelcontextprotocol/sdk)
//   TRANSPORT  http URL KEY, or stdio COMMAND URL KEY
//   STEPS      JSON: [{ "call": name, "arguments": {...} }, { "read": uri }, ...]; "$0.job_id" in a text is what step 0 answered
// It prints one line of JSON: { version, tools, steps: [...] }.

const [kind, transportName, ...rest] = process.argv.slice(2);
const steps = JSON.parse(rest.pop());
const info = { name: "spec", version: "1" };

async function library() {
  if (kind === "old") {
    const { Client } = await import("@modelcontextprotocol/sdk/client/index.js");
    const { StreamableHTTPClientTransport } = await import("@modelcontextprotocol/sdk/client/streamableHttp.js");
    const { StdioClientTransport } = await import("@modelcontextprotocol/sdk/client/stdio.js");
    return { Client, StreamableHTTPClientTransport, StdioClientTransport };
  }
  const { Client, StreamableHTTPClientTransport } = await import("@modelcontextprotocol/client");
  const { StdioClientTransport } = await import("@modelcontextprotocol/client/stdio");
  return { Client, StreamableHTTPClientTransport, StdioClientTransport };
}

const MODES = { pin: { mode: { pin: "2026-07-28" } }, auto: { mode: "auto" }, default: undefined, old: undefined };

async function connect() {
  const { Client, StreamableHTTPClientTransport, StdioClientTransport } = await library();
  const options = MODES[kind] ? { versionNegotiation: MODES[kind] } : {};
  const client = new Client(info, options);
  const headers = { Authorization: `Bearer ${rest.at(-1)}` };
  const transport = transportName === "http"
    ? new StreamableHTTPClientTransport(new URL(rest[0]), { requestInit: { headers } })
    : new StdioClientTransport({ command: rest[0], args: ["mcp", "--url", rest[1]], env: { PROVIDERD_API_KEY: rest[2] } });
  await client.connect(transport);
  return client;
}

const answers = [];

// Replaces "$N.a.b" by what step N answered there.
function fill(value) {
  if (typeof value === "string") {
    const found = /^\$(\d+)\.(.+)$/.exec(value);
    return found ? found[2].split(".").reduce((at, name) => at[name], answers[found[1]]) : value;
  }
  if (Array.isArray(value)) return value.map(fill);
  if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, fill(item)]));
  return value;
}

async function callTool(client, step) {
  const told = [];
  const options = { onprogress: (progress) => told.push(progress.progress), timeout: 60000 };
  const params = { name: step.call, arguments: fill(step.arguments ?? {}) };
  const result = kind === "old" ? await client.callTool(params, undefined, options) : await client.callTool(params, options);
  answers.push(result.structuredContent ?? JSON.parse(result.content[0].text));
  return { data: answers.at(-1), isError: result.isError ?? false, kinds: result.content.map((block) => block.type), told };
}

async function read(client, step) {
  const result = await client.readResource({ uri: fill(step.read) });
  answers.push(result.contents[0]);
  return { mimeType: result.contents[0].mimeType, base64: result.contents[0].blob };
}

// A call that the client gives up; the error that it gets.
async function giveUp(client, step) {
  const controller = new AbortController();
  const options = { signal: controller.signal };
  const params = { name: step.cancel, arguments: fill(step.arguments ?? {}) };
  setTimeout(() => controller.abort("enough"), 300);
  answers.push(null);
  try {
    await (kind === "old" ? client.callTool(params, undefined, options) : client.callTool(params, options));
    return { answered: true };
  } catch (error) {
    return { gaveUp: String(error.message ?? error) };
  }
}

async function perform(client, step) {
  try {
    if (step.call) return await callTool(client, step);
    if (step.read) return await read(client, step);
    if (step.cancel) return await giveUp(client, step);
    if (step.ping) return await client.ping();
    return { count: (await client.listResources()).resources.length };
  } catch (error) {
    answers.push(null);
    return { code: error.code, message: error.message };
  }
}

const client = await connect();
const { tools } = await client.listTools();
const done = [];
for (const step of steps) done.push(await perform(client, step));
const version = client.getNegotiatedProtocolVersion?.() ?? null;
await client.close();
console.log(JSON.stringify({ version, tools: tools.map((tool) => tool.name), server: client.getServerVersion?.()?.name, steps: done }));
