-- What Runway's endpoints take as the types of @runwayml/sdk have it: a value for each word, list and object of each input. From
-- npm (spec/support/npm.lua), of one fixed version: the figures that specs count are its.
local cjson = require "cjson"
local npm = require "spec.support.npm"

local runway_types = {}

-- Prints [{ endpoint, model, required: { input: value }, values: [[input, value]] }] as JSON, one for each kind of body. A model
-- is null where the endpoint has none.
local READ_TYPES = [=[
const fs = require("fs"), path = require("path");
const folder = "node_modules/@runwayml/sdk/resources", types = {}, methods = [];

function split(type) {
  const list = [""];
  let depth = 0, quoted = false;
  for (const c of type) {
    if (c === "'") quoted = !quoted;
    if (!quoted) depth += "<{(".includes(c) - ">})".includes(c);
    if (c === "|" && !quoted && depth === 0) list.push(""); else list[list.length - 1] += c;
  }
  return list.map((part) => part.trim());
}

function read(file, scope) {
  const stack = [], paths = {};
  let comment = false, method;
  for (const line of fs.readFileSync(file.replace(".d.ts", ".js"), "utf8").split("\n")) {
    method = line.match(/^    (?:async )?(\w+)\(/)?.[1] ?? method;
    const found = line.match(/_client\.post\('(\/v1\/[^']+)'/);
    if (found) paths[method] = found[1].slice(4);
  }
  for (const raw of fs.readFileSync(file, "utf8").split("\n")) {
    const line = raw.trim();
    let found;
    if (comment || line.startsWith("/*")) { comment = !line.endsWith("*/"); continue; }
    const name = (own) => [scope, ...stack.map((item) => item.name).filter(Boolean), own].join(".");
    if ((found = line.match(/^(?:export )?(?:declare )?namespace (\w+) \{$/))) stack.push({ name: found[1] });
    else if ((found = line.match(/^(?:export )?interface (\w+).* \{$/))) {
      types[name(found[1])] = [];
      stack.push({ name: found[1], fields: types[name(found[1])] });
    } else if ((found = line.match(/^export type (\w+) = ([^{]*);$/))) types[name(found[1])] = split(found[2]);
    else if ((found = line.match(/^(\w+)\(body: ([\w.]+),/)) && paths[found[1]]) methods.push([scope, paths[found[1]], found[2]]);
    else if (line.startsWith("}")) stack.pop();
    else if (line.endsWith("{")) stack.push({});
    else if ((found = line.match(/^'?([\w$-]+)'?(\??): (.*);$/)) && stack.at(-1)?.fields) {
      stack.at(-1).fields.push([found[1], found[2] === "", split(found[3]), stack.map((item) => item.name).filter(Boolean)]);
    }
  }
}

// The fields of a type's name, looked for from the inside.
function find(scope, within, name) {
  for (let depth = within.length; depth >= 0; depth--) {
    const found = types[[scope, ...within.slice(0, depth), name].join(".")];
    if (found) return found;
  }
  const imported = name.match(/^(\w+)API\.(\w+)$/);
  return imported && types[`generate/${imported[1].toLowerCase()}.${imported[2]}`];
}

const isUri = (name) => /uri|image|video|audio|reference|character/i.test(name);
function valuesOfPart(scope, within, name, part) {
  let found;
  if ((found = part.match(/^'(.*)'$/))) return [found[1]];
  if (/^-?[\d.]+$/.test(part)) return [Number(part)];
  if ((found = part.match(/^Array<(.*)>$/))) return valuesOf(scope, within, name, split(found[1])).map((value) => [value]);
  if (part === "string" || part === "(string & {})") return [isUri(name) ? "https://example.com/a.png" : "Some Text"];
  if (part === "number") return [5];
  if (part === "boolean") return [true, false];
  if (part === "null") return []; // as good as nothing
  const known = find(scope, within, part);
  if (!known && !/^(unknown|\{.*\})$/.test(part)) throw Error(`${name}: ${part}`);
  if (!known) return [{ any: 1 }];
  if (typeof known[0] === "string") return valuesOf(scope, within, name, known);
  return objectsOf(scope, known);
}
const valuesOf = (scope, within, name, parts) => parts.flatMap((part) => valuesOfPart(scope, within, name, part));

// An object for each value of each of its fields, with what it needs beside it.
function objectsOf(scope, fields) {
  const { required, values } = bodyOf(scope, fields);
  return values.length ? values.map(([name, value]) => ({ ...required, [name]: value })) : [required];
}
function bodyOf(scope, fields) {
  const required = {}, values = [];
  for (const [name, isRequired, parts, within] of fields) {
    const list = valuesOf(scope, within, name, parts);
    if (isRequired) required[name] = list[0];
    for (const value of list) values.push([name, value]);
  }
  return { required, values };
}

for (const file of fs.readdirSync(folder, { recursive: true }).sort()) {
  if (file.endsWith(".d.ts")) read(path.join(folder, file), file.slice(0, -5));
}
const variantsOf = (scope, within, name) => {
  const found = find(scope, within, name);
  return typeof found[0] === "string" ? found.flatMap((part) => variantsOf(scope, [name], part)) : [found];
};
console.log(JSON.stringify(methods.flatMap(([scope, endpoint, params]) => variantsOf(scope, [], params).map((fields) => {
  const { required, values } = bodyOf(scope, fields);
  const model = required.model ?? null;
  delete required.model;
  return { endpoint, model, required, values: values.filter(([name]) => name !== "model") };
}))));
]=]

--- The bodies: { { endpoint =, model =, required = { [input] = value }, values = { { input, value } } } }; nil and why they
-- cannot be had.
function runway_types.read()
  local missing = npm.install()
  if missing then return nil, missing end
  local good, output = npm.run(READ_TYPES, "")
  assert(good, output)
  return cjson.decode(output)
end

return runway_types
