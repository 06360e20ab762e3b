// api.js - the host's REST API. What is done here can be done with curl: there is no other door.

import { at, parse, put, stringify } from "./exact.js";

/** What the API says is wrong (docs/api.md, Errors), or that it cannot be reached (status 0). */
export class Problem extends Error {
  constructor(status, body, headers) {
    super(body?.detail ?? body?.title ?? (status ? `the host answered ${status}` : "the host cannot be reached"));
    this.status = status;
    this.title = body?.title ?? "";
    this.detail = this.message;
    this.errors = body?.errors ?? [];
    this.requestId = body?.request_id ?? headers?.get("X-Request-ID") ?? null;
    this.retryAfter = Number(headers?.get("Retry-After")) || null;
    this.body = body;
  }
}

/** A path of the API, or an artifact's url, from where the page lies: under any prefix. */
export const url = (path, query) => {
  const pairs = Object.entries(query ?? {}).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const search = new URLSearchParams(pairs).toString();
  return path.replace(/^\/+/, "") + (search && `?${search}`);
};

/** An output's file. It comes through the host: from anywhere else (artifacts.deliver) the page would show nothing, and may not. */
export const file = path => url(path, { deliver: "proxy" });

let askForLogin = null; // () => Promise<void>: store/session.js

export function onUnauthorized(ask) {
  askForLogin = ask;
}

async function send(method, path, { query, body, headers, signal }) {
  const options = { method, headers: { Accept: "application/json", ...headers }, signal, credentials: "same-origin", cache: "no-cache" };
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = typeof body === "string" ? body : stringify(body);
  }
  try {
    return await fetch(url(path, query), options);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(0);
  }
}

async function readBody(response, signal) {
  const text = await response.text().catch(error => {
    throw signal?.aborted ? error : new Problem(0); // it broke off
  });
  try {
    return text === "" ? null : parse(text);
  } catch {
    return null;
  }
}

/**
 * The answer as { status, headers, body }; fails with a Problem. A GET whose key has ended waits for the login and goes on; what writes
 * does not: whoever clicked decides again.
 */
async function raw(method, path, options = {}) {
  const response = await send(method, path, options);
  const body = await readBody(response, options.signal);
  if (response.ok) return { status: response.status, headers: response.headers, body };
  if (response.status === 401 && askForLogin && !options.anonymous) {
    const login = askForLogin();
    if (method === "GET") {
      await login;
      options.signal?.throwIfAborted();
      return raw(method, path, options);
    }
  }
  throw new Problem(response.status, body, response.headers);
}

const body = promise => promise.then(answer => answer.body);

export const api = {
  url, file, raw,
  get: (path, options) => body(raw("GET", path, options)),
  post: (path, content = {}, options) => body(raw("POST", path, { ...options, body: content })),
  delete: (path, options) => body(raw("DELETE", path, options)),
};

/**
 * The request that a job was made by, as far as its row has it: without what the host filled in, and by the names that it was written with
 * (docs/api.md: `defaulted`, `given_as`). Texts that the row has cut are cut in it.
 */
export function requestOf({ kind, payload }) {
  const { defaulted = [], given_as: names = {}, contradictions: _, ignored: __, kind: ___, queue, ...rest } = payload ?? {};
  let body = /gpu/.test(kind) ? { job: rest } : { ...rest, ...queue };
  for (const name of defaulted) body = put(put(body, name, undefined), `parameters.${name}`, undefined);
  for (const [usual, path] of Object.entries(names)) {
    const value = at(body, usual);
    if (value !== undefined) body = put(put(body, usual, undefined), path, value);
  }
  return body;
}
