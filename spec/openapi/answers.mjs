// Are these answers what the document says? One line for each difference: the file of specs, the route, where in the answer, and what is wrong.
// The last line counts answers, and the operations that they are of.
//
//   node answers.mjs DOCUMENT FOLDER      of records (spec/support/openapi_recorder.lua)
//
// A path that is not in the document may only be refused, as one that is not there; so may a method that a path does not have. Of objects that are closed
// (additionalProperties or unevaluatedProperties: false) a member more is a difference. Every object of an answer that lists its members is closed, or says
// that it is open ("additionalProperties": true), or is part of one that does.
import { readFileSync, readdirSync } from "node:fs";
import Ajv from "ajv/dist/2020.js";
import formats from "ajv-formats";

const METHODS = ["get", "post", "put", "patch", "delete"];
const SHOWN = 40; // of one spec file's differences

const [documentFile, folder] = process.argv.slice(2);
const document = JSON.parse(readFileSync(documentFile, "utf8"));
const ajv = formats(new Ajv({ strict: false, allErrors: true, validateFormats: true }));
ajv.addSchema(document, "openapi");

// The document ---------------------------------------------------------------------------------------------------------------------------

const token = (name) => name.replaceAll("~", "~0").replaceAll("/", "~1");

// A place in the document, as the names on the way to it; references are followed.
function find(names) {
  const value = names.reduce((at, name) => at?.[name], document);
  return typeof value?.$ref === "string"
    ? find(value.$ref.slice(2).split("/").map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~")))
    : { value, names };
}

const validators = new Map();

function validator(names) {
  const ref = `openapi#${names.map((name) => `/${encodeURIComponent(token(name))}`).join("")}`;
  if (!validators.has(ref)) validators.set(ref, ajv.compile({ $ref: ref }));
  return validators.get(ref);
}

// "{file}" takes what is left of a path, other braces one segment.
function pattern(path) {
  const text = path.replace(/[.*+?^$()|[\]\\]/g, "\\$&").replace(/\{file\}/g, ".+").replace(/\{[^}]*\}/g, "[^/]+");
  return new RegExp(`^${text}$`);
}

// Where an operation is: below "/", and below what else it names as a server ("/live").
function serversOf(item) {
  const urls = Object.values(item).flatMap((operation) => operation.servers ?? []).map((server) => server.url.replace(/\/$/, ""));
  return [...new Set(["", ...urls])];
}

const templates = Object.entries(document.paths)
  .flatMap(([path, item]) => serversOf(item).map((server) => ({ path, whole: server + path, pattern: pattern(server + path) })))
  .sort((a, b) => a.path.split("{").length - b.path.split("{").length || b.whole.length - a.whole.length);

// "%75i" is "ui"; a slash that is written as %2F stays one of its segment.
function decoded(path) {
  try {
    return path.split("/").map((part) => decodeURIComponent(part).replaceAll("/", "%2F")).join("/");
  } catch {
    return path;
  }
}

// Jobs' paths are also there without /api, and a slash at the end does not matter.
function templateOf(path) {
  const plain = path.length > 1 ? decoded(path).replace(/\/$/, "") : path;
  const whole = plain.startsWith("/jobs/") ? `/api${plain}` : plain;
  return templates.find((template) => template.pattern.test(whole))?.path;
}

function methodOf(template, method) {
  const name = method === "HEAD" ? "get" : method.toLowerCase();
  return METHODS.includes(name) && document.paths[template][name] ? name : undefined;
}

// Whose form a refusal has that no operation describes: its nearest neighbour's, by the beginning of the path.
function refusalOf(path) {
  const first = path.split("/")[1];
  const neighbour = templates.find((template) => template.whole.split("/")[1] === first)?.path ?? "/healthz";
  const method = METHODS.find((name) => document.paths[neighbour][name]);
  return ["paths", neighbour, method, "responses", "503"];
}

const sharedStatuses = new Set(Object.keys(document.paths["/healthz"].get.responses).filter((status) => status >= "400"));
const REFUSED = new Set([...sharedStatuses, "401", "404", "405", "500"]);

// Answers -----------------------------------------------------------------------------------------------------------------------------------

function differencesOf(record, response, names) {
  if ((record.bytes === 0 && !record.item) || record.method === "HEAD") return [];
  const type = record.type.split(";")[0].trim().toLowerCase();
  const content = response.content ?? {};
  const media = Object.keys(content).find((name) => name === type || (name.endsWith("/*") && type.startsWith(name.slice(0, -1))) || name === "*/*");
  if (media === undefined) return [`its media type is ${type || "not given"}, documented are ${Object.keys(content).join(", ") || "none"}`];
  const kind = record.item ? "x-item-schema" : "schema"; // of one event of a stream, or of all that is answered
  if (record.body === undefined || content[media][kind] === undefined || !(record.item || type.includes("json"))) return [];
  const validate = validator([...names, "content", media, kind]);
  if (validate(JSON.parse(record.body))) return [];
  const texts = validate.errors.filter((error) => error.keyword !== "anyOf" || validate.errors.length === 1).map((error) => {
    const more = error.params.additionalProperty ?? error.params.unevaluatedProperty ?? error.params.allowedValues ?? error.params.allowedValue ?? "";
    const where = error.instancePath.replace(/\/\d+(?=\/|$)/g, "/*"); // of a list's items one is named
    return `${where || "/"} ${error.message}${more === "" ? "" : `: ${JSON.stringify(more)}`}`;
  });
  return [...new Set(texts)].slice(0, 6);
}

function check(record) {
  const status = String(record.status);
  const template = templateOf(record.path);
  if (record.method === "OPTIONS" && status === "204") return { route: "preflight", differences: [] };
  const method = template && methodOf(template, record.method);
  if (!method) {
    const route = `${record.method} ${template ?? record.path}`;
    if (!REFUSED.has(status)) return { route, differences: [`${status}: this route is not in the document`] };
    const { value, names } = find(refusalOf(record.path));
    return { route: "refusals", differences: differencesOf(record, value, names) };
  }
  const route = `${method.toUpperCase()} ${template}`;
  const { value, names } = find(["paths", template, method, "responses", status]);
  if (value === undefined) return { route, differences: [`${status}: this status is not in the document`] };
  return { route, differences: differencesOf(record, value, names).map((text) => `${status}: ${text}`) };
}

// Objects that do not say whether they are closed -----------------------------------------------------------------------------------------------

function* undecided(schema, where, visited, part) {
  if (schema === null || typeof schema !== "object") return;
  if (typeof schema.$ref === "string") {
    const { value } = find(schema.$ref.slice(2).split("/"));
    const name = `${schema.$ref}${part ? " part" : ""}`;
    if (!visited.has(name)) yield* undecided(value, schema.$ref, visited.add(name), part);
    return;
  }
  const closed = schema.additionalProperties !== undefined || schema.unevaluatedProperties !== undefined;
  if (schema.properties && !closed && !part) yield where;
  for (const [name, one] of Object.entries(schema.properties ?? {})) yield* undecided(one, `${where}/properties/${name}`, visited, false);
  for (const name of ["items", "additionalProperties"]) yield* undecided(schema[name], `${where}/${name}`, visited, false);
  for (const name of ["anyOf", "oneOf"]) for (const [i, one] of (schema[name] ?? []).entries()) yield* undecided(one, `${where}/${name}/${i}`, visited, false);
  for (const [i, one] of (schema.allOf ?? []).entries()) yield* undecided(one, `${where}/allOf/${i}`, visited, true);
}

function* undecidedAnswers() {
  const visited = new Set();
  for (const [path, item] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      for (const status of Object.keys(operation.responses)) {
        const { value } = find(["paths", path, method, "responses", status]);
        for (const [type, { schema }] of Object.entries(value?.content ?? {})) {
          yield* undecided(schema, `${method.toUpperCase()} ${path} ${status} ${type}`, visited, false);
        }
      }
    }
  }
}

// All ---------------------------------------------------------------------------------------------------------------------------------------------

const found = new Map(); // a difference: the files that saw it
const routes = new Set();
let count = 0;

for (const where of new Set(undecidedAnswers())) found.set(`${where}: lists members, but does not say whether there are others`, new Set(["openapi/"]));
for (const name of readdirSync(folder).sort()) {
  for (const line of readFileSync(`${folder}/${name}`, "utf8").split("\n")) {
    if (!line.endsWith("}")) continue; // its writer was killed meanwhile
    const record = JSON.parse(line);
    const { route, differences } = check(record);
    count++;
    routes.add(route);
    for (const text of differences) {
      const key = `${route} ${text}`;
      if (!found.has(key)) found.set(key, new Set());
      found.get(key).add(record.file);
    }
  }
}
const shown = new Map();
for (const [text, files] of found) {
  const file = [...files][0];
  shown.set(file, (shown.get(file) ?? 0) + 1);
  if (shown.get(file) <= SHOWN) console.log(`${file}${files.size > 1 ? ` and ${files.size - 1} more` : ""}: ${text}`);
}
console.log(`${count} answers of ${routes.size} routes, ${found.size} differences`);
process.exitCode = found.size === 0 ? 0 : 1;
