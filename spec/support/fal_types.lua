-- The inputs of fal's models as the types of @fal-ai/client have them: for each model its inputs, for each input values of its
-- type. From npm (spec/support/npm.lua), of one fixed version: the figures that specs count are its.
local cjson = require "cjson"
local npm = require "spec.support.npm"

local fal_types = {}

-- Prints [[model, [[input, is_required, [the parts of its type]]]]] as JSON.
local READ_TYPES = [=[
const fs = require("fs");
const types = {}, models = [];
let current, model;
function parts(type) {
  const list = [""];
  let depth = 0, quoted = false;
  for (const c of type) {
    if (c === '"') quoted = !quoted;
    if (!quoted) depth += "<{(".includes(c) - ">})".includes(c);
    if (c === "|" && !quoted && depth === 0) list.push(""); else list[list.length - 1] += c;
  }
  return list.map((part) => part.trim());
}
for (const line of fs.readFileSync("node_modules/@fal-ai/client/src/types/endpoints.d.ts", "utf8").split("\n")) {
  let found;
  if ((found = line.match(/^export type (\w+) = \{$/))) types[found[1]] = current = [];
  else if ((found = line.match(/^export type (\w+) = (.*);$/))) types[found[1]] = found[2];
  else if ((found = line.match(/^    "([^"]+)": \{$/))) model = found[1];
  else if ((found = line.match(/^        input: (\w+);$/))) models.push([model, found[1]]);
  else if ((found = line.match(/^    "?([\w-]+)"?(\??): (.*);$/))) current.push([found[1], found[2] === "", parts(found[3])]);
}
const fields = (name) => typeof types[name] === "string" ? fields(types[name]) : types[name] ?? [];
console.log(JSON.stringify(models.map(([name, input]) => [name, fields(input)])));
]=]

--- The models: { { id, { { input, is_required, parts of its type } } } }; nil and why they cannot be had.
function fal_types.read()
  local missing = npm.install()
  if missing then return nil, missing end
  local good, output = npm.run(READ_TYPES, "")
  assert(good, output)
  return cjson.decode(output)
end

local function list_of(part)
  local lists = {}
  for literal in part:gmatch '"([^"]*)"' do lists[#lists + 1] = { literal } end
  return lists[1] and lists or { { "a" } }
end

-- A text is any text, also one that a type has beside its words; a type with a name of its own is an object, of which only the
-- size is known here.
local OF_PART = {
  boolean = { true, false }, number = { 1 }, ImageSize = { { width = 640, height = 480 } },
}

--- Values of a type, each of its words among them.
function fal_types.values(parts)
  local values = {}
  local function add(list)
    for _, value in ipairs(list) do values[#values + 1] = value end
  end
  for _, part in ipairs(parts) do
    if part == "Blob" then return { "https://example.com/a.png" } end
    local literal = part:match '^"(.*)"$' or math.tointeger(tonumber(part)) or tonumber(part)
    if literal then add { literal }
    elseif part:find "^Array<" then add(list_of(part))
    elseif part == "string" and #parts == 1 then add { "Some Text" }
    else add(OF_PART[part] or {}) end
  end
  return values
end

return fal_types
