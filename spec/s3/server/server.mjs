// server.mjs - a bucket for specs, strict where S3 is: every request is signed again with AWS's own code (@smithy/signature-v4), and must come to the same
// signature; every body must have the SHA-256 that it was signed with. Says where it listens. What it keeps, it keeps in memory.
//
//   node server.mjs '{"bucket": "films", "region": "eu-test-1", "key": "AK...", "secret": "...", "token": null, "port": 0}'
//
// POST /~control { faults: [{ method, match, status, code, times, hang }], skew_minutes, away, touch: { name: "2020-01-01T00:00:00Z" } } changes how it
// behaves; GET /~control tells what it has seen. Both are for the spec, and need no signature.
import { Sha256 } from "@aws-crypto/sha256-js";
import { SignatureV4 } from "@smithy/signature-v4";
import { createHash, randomUUID } from "node:crypto";
import { createServer } from "node:http";

const options = JSON.parse(process.argv[2]);
const objects = new Map(); // name -> { body, type, modified }
const uploads = new Map(); // id -> { name, type, parts }
const seen = [];
let control = { faults: [], skew_minutes: 0, away: false };

const sha256 = bytes => createHash("sha256").update(bytes).digest("hex");
const md5 = bytes => createHash("md5").update(bytes).digest("hex");
const escape = text => text.replace(/[&<>"]/g, one => `&#${one.charCodeAt(0)};`.replace("&#38;", "&amp;").replace("&#34;", "&quot;"));
const now = () => Date.now() + control.skew_minutes * 60000;

class Refusal extends Error {
  constructor(status, code, more = "") {
    super(code);
    Object.assign(this, { status, code, more });
  }
}

function readDate(text) {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text ?? "");
  if (!parts) throw new Refusal(403, "AccessDenied");
  return new Date(`${parts[1]}-${parts[2]}-${parts[3]}T${parts[4]}:${parts[5]}:${parts[6]}Z`);
}

const signer = () => new SignatureV4({
  service: "s3", region: options.region, sha256: Sha256, uriEscapePath: false, applyChecksum: false,
  credentials: { accessKeyId: options.key, secretAccessKey: options.secret, ...(options.token ? { sessionToken: options.token } : {}) },
});

function checkScope(credential, date) {
  const [key, day, region, service, end] = credential.split("/");
  if (key !== options.key) throw new Refusal(403, "InvalidAccessKeyId");
  if (region !== options.region) throw new Refusal(400, "AuthorizationHeaderMalformed", `<Region>${options.region}</Region>`);
  if (day !== date.toISOString().slice(0, 10).replaceAll("-", "") || service !== "s3" || end !== "aws4_request")
    throw new Refusal(403, "SignatureDoesNotMatch");
}

// As it was sent: nothing is decoded and encoded again but by the signer.
function asked(request, path, pairs, headers) {
  const query = {};
  for (const [name, value] of pairs) query[name] = value;
  return { method: request.method, protocol: "http:", hostname: request.headers.host, path, query, headers };
}

async function checkHeader(request, path, pairs, body) {
  const parts = /^AWS4-HMAC-SHA256 Credential=(\S+), SignedHeaders=(\S+), Signature=([0-9a-f]{64})$/.exec(request.headers.authorization ?? "");
  if (!parts) throw new Refusal(403, "AccessDenied");
  const [, credential, names, signature] = parts, headers = {};
  for (const name of names.split(";")) headers[name] = request.headers[name];
  for (const name of Object.keys(request.headers))
    if (name.startsWith("x-amz-") && !(name in headers)) throw new Refusal(403, "AccessDenied", "<Message>not signed</Message>");
  if (!("host" in headers) || !("x-amz-content-sha256" in headers)) throw new Refusal(400, "InvalidRequest");
  const date = readDate(request.headers["x-amz-date"]);
  if (Math.abs(now() - date) > 15 * 60000) throw new Refusal(403, "RequestTimeTooSkewed");
  checkScope(credential, date);
  if (options.token && request.headers["x-amz-security-token"] !== options.token) throw new Refusal(400, "InvalidToken");
  const ours = await signer().sign(asked(request, path, pairs, headers),
    { signingDate: date, signableHeaders: new Set(names.split(";")) });
  if (/Signature=([0-9a-f]{64})$/.exec(ours.headers.authorization)[1] !== signature) throw new Refusal(403, "SignatureDoesNotMatch");
  const declared = request.headers["x-amz-content-sha256"];
  if (declared !== "UNSIGNED-PAYLOAD" && declared !== sha256(body)) throw new Refusal(400, "XAmzContentSHA256Mismatch");
}

async function checkQuery(request, path, pairs) {
  const query = Object.fromEntries(pairs), date = readDate(query["X-Amz-Date"]), seconds = Number(query["X-Amz-Expires"]);
  if (request.headers.authorization) throw new Refusal(400, "InvalidArgument");
  checkScope(query["X-Amz-Credential"], date);
  if (now() > date.getTime() + seconds * 1000) throw new Refusal(403, "AccessDenied", "<Message>Request has expired</Message>");
  const rest = pairs.filter(([name]) => !name.startsWith("X-Amz-"));
  const unsigned = new Set(["x-amz-content-sha256"]); // it says that no body is signed, and is in no URL of ours
  const ours = await signer().presign(
    asked(request, path, rest, { host: request.headers.host, "x-amz-content-sha256": "UNSIGNED-PAYLOAD" }),
    { signingDate: date, expiresIn: seconds, unsignableHeaders: unsigned, unhoistableHeaders: unsigned });
  if (ours.query["X-Amz-Signature"] !== query["X-Amz-Signature"]) throw new Refusal(403, "SignatureDoesNotMatch");
}

// ---- what a bucket does ----

function getObject(request, response, name, query) {
  const found = objects.get(name);
  if (!found) throw new Refusal(404, "NoSuchKey");
  const headers = { "Content-Type": query["response-content-type"] ?? found.type, "Last-Modified": found.modified.toUTCString(),
    ETag: `"${md5(found.body)}"`, "Accept-Ranges": "bytes", "Access-Control-Allow-Origin": "*" };
  if (query["response-content-disposition"]) headers["Content-Disposition"] = query["response-content-disposition"];
  if (query["response-cache-control"]) headers["Cache-Control"] = query["response-cache-control"];
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
  let body = found.body, status = 200;
  if (range) {
    const first = Number(range[1]), last = Math.min(range[2] === "" ? Infinity : Number(range[2]), body.length - 1);
    if (first >= body.length) throw new Refusal(416, "InvalidRange");
    headers["Content-Range"] = `bytes ${first}-${last}/${body.length}`;
    body = body.subarray(first, last + 1);
    status = 206;
  }
  response.writeHead(status, { ...headers, "Content-Length": body.length });
  response.end(request.method === "HEAD" ? undefined : body);
}

function list(response, query) {
  const names = [...objects.keys()].filter(name => name.startsWith(query.prefix ?? "")).sort();
  const from = query["continuation-token"] ? names.findIndex(name => name > atob(query["continuation-token"])) : 0;
  const most = Math.min(Number(query["max-keys"] ?? 1000), options.page ?? 1000);
  const page = from < 0 ? [] : names.slice(from, from + most), more = from >= 0 && from + most < names.length;
  const rows = page.map(name => `<Contents><Key>${escape(name)}</Key><LastModified>${objects.get(name).modified.toISOString()}</LastModified>` +
    `<Size>${objects.get(name).body.length}</Size></Contents>`).join("");
  send(response, 200, `<ListBucketResult><IsTruncated>${more}</IsTruncated>${rows}` +
    `${more ? `<NextContinuationToken>${btoa(page.at(-1))}</NextContinuationToken>` : ""}</ListBucketResult>`);
}

function send(response, status, xml, headers = {}) {
  response.writeHead(status, { "Content-Type": "application/xml", Date: new Date(now()).toUTCString(), ...headers });
  response.end(`<?xml version="1.0" encoding="UTF-8"?>\n${xml}`);
}

function complete(response, name, upload, body) {
  const told = [...String(body).matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>"?([0-9a-f]+)"?<\/ETag>/g)];
  const parts = told.map(([, number, etag], i) => {
    const part = upload.parts.get(Number(number));
    if (!part || md5(part) !== etag || Number(number) !== i + 1) throw new Refusal(400, "InvalidPart");
    if (i < told.length - 1 && part.length < 5 << 20) throw new Refusal(400, "EntityTooSmall");
    return part;
  });
  if (parts.length === 0) throw new Refusal(400, "MalformedXML");
  objects.set(name, { body: Buffer.concat(parts), type: upload.type, modified: new Date(now()) });
  send(response, 200, "<CompleteMultipartUploadResult/>");
}

function act(request, response, name, query, body) {
  const type = request.headers["content-type"] ?? "binary/octet-stream";
  const upload = query.uploadId !== undefined ? uploads.get(query.uploadId) : null;
  if (query.uploadId !== undefined && upload?.name !== name) throw new Refusal(404, "NoSuchUpload");
  if (name === "") return list(response, query);
  if (request.method === "GET" || request.method === "HEAD") return getObject(request, response, name, query);
  if (request.method === "PUT" && upload) {
    upload.parts.set(Number(query.partNumber), body);
    return send(response, 200, "", { ETag: `"${md5(body)}"` });
  }
  if (request.method === "PUT") {
    objects.set(name, { body, type, modified: new Date(now()) });
    return send(response, 200, "", { ETag: `"${md5(body)}"` });
  }
  if (request.method === "POST" && "uploads" in query) {
    const id = `${randomUUID()}+/=`;
    uploads.set(id, { name, type, parts: new Map() });
    return send(response, 200, `<InitiateMultipartUploadResult><UploadId>${escape(id)}</UploadId></InitiateMultipartUploadResult>`);
  }
  if (request.method === "POST" && upload) {
    complete(response, name, upload, body);
    return uploads.delete(query.uploadId);
  }
  if (request.method !== "DELETE") throw new Refusal(405, "MethodNotAllowed");
  if (upload) uploads.delete(query.uploadId);
  else objects.delete(name);
  response.writeHead(204);
  return response.end();
}

// ---- requests ----

function tellControl(response) {
  const rows = [...objects].map(([name, { body, type, modified }]) => ({ name, bytes: body.length, sha256: sha256(body), type, modified }));
  response.end(JSON.stringify({ seen, objects: rows, uploads: uploads.size }));
}

function takeControl(response, body) {
  const changes = JSON.parse(String(body));
  for (const [name, time] of Object.entries(changes.touch ?? {})) objects.get(name).modified = new Date(time);
  for (const name of changes.forget ?? []) objects.delete(name);
  for (const [name, text] of Object.entries(changes.put ?? {})) objects.set(name, { body: Buffer.from(text), type: "text/plain", modified: new Date(now()) });
  control = { ...control, ...changes };
  response.end("{}");
}

function takeFault(request) {
  const fault = [...(Array.isArray(control.faults) ? control.faults : [])].find(one => one.times !== 0 && (!one.method || one.method === request.method) && request.url.includes(one.match ?? ""));
  if (fault) fault.times = (fault.times ?? Infinity) - 1;
  return fault;
}

async function answer(request, response, body) {
  if (request.url === "/healthz") return response.end("{}"); // it is up (spec/support/host.lua)
  if (request.url === "/~control") response.setHeader("Content-Type", "application/json");
  if (request.url === "/~control") return request.method === "POST" ? takeControl(response, body) : tellControl(response);
  if (control.away) return request.socket.destroy();
  const [rawPath, rawQuery = ""] = request.url.split("?"), pairs = rawQuery === "" ? [] : rawQuery.split("&").map(one => {
    const at = one.indexOf("=");
    if (at < 0) throw new Refusal(403, "SignatureDoesNotMatch");
    return [decodeURIComponent(one.slice(0, at)), decodeURIComponent(one.slice(at + 1))];
  });
  const query = Object.fromEntries(pairs), fault = takeFault(request);
  if (fault?.hang) return null;
  if (fault) throw new Refusal(fault.status, fault.code ?? "InternalError");
  const inHost = request.headers.host.startsWith(`${options.bucket}.`), path = decodeURIComponent(rawPath);
  const [, bucket, name] = inHost ? [null, options.bucket, path.slice(1)] : /^\/([^/]*)\/?(.*)$/.exec(path);
  if ("X-Amz-Signature" in query) await checkQuery(request, path, pairs);
  else await checkHeader(request, path, pairs, body);
  if (bucket !== options.bucket) throw new Refusal(404, "NoSuchBucket");
  return act(request, response, name, query, body);
}

const server = createServer((request, response) => {
  const pieces = [];
  request.on("data", piece => pieces.push(piece));
  request.on("error", () => {});
  request.on("end", () => {
    const body = Buffer.concat(pieces), row = { method: request.method, url: request.url.split("&X-Amz-Signature")[0], host: request.headers.host,
      bytes: body.length, range: request.headers.range, type: request.headers["content-type"], port: request.socket.remotePort };
    if (request.url !== "/~control" && request.url !== "/healthz") seen.push(row);
    response.on("finish", () => { row.status = response.statusCode; });
    answer(request, response, body).catch(problem => {
      if (!(problem instanceof Refusal)) console.error(problem);
      const { status = 500, code = "InternalError", more = "" } = problem;
      if (request.method === "HEAD") response.writeHead(status, { Date: new Date(now()).toUTCString() }).end();
      else send(response, status, `<Error><Code>${code}</Code>${more}<RequestId>1</RequestId></Error>`);
    });
  });
});
server.listen(options.port ?? 0, "127.0.0.1", () => console.log(`listens on http://127.0.0.1:${server.address().port}`));
