-- The form cannot lie: for every choice of every provider it has a field for each property of the schema, what is put into a
-- field is in the request as it is, and what its selects, radio rows, boxes and sliders offer is taken. What of the schemas is
-- true at all is spec/api/inputs_truth_spec.lua's.
local exact = require "spec.support.exact_json"
local probes = require "spec.support.input_probes"
local providers = require "spec.support.providers"
local studio = require "spec.support.studio"

local SEGMENTS = { gpu = "gpu/public", image = "image", video = "video" }

-- arguments: the path of the provider, and for each choice { schema, requests = { path = a request in which it has a value } }.
-- Returns what is not as it must be, and how many values were tried.
local TRY = [==[
const { schemaForm } = await import(new URL("ui/base/form.js", document.baseURI));
const { at, put } = await import(new URL("ui/base/exact.js", document.baseURI));
const { signal, root } = await import(new URL("ui/base/signal.js", document.baseURI));
const { parse, stringify } = await import(new URL("ui/base/exact.js", document.baseURI));
const [base, text] = arguments, lies = [];
let tried = 0;
const same = (a, b) => a !== undefined && b !== undefined && stringify(a) === stringify(b);
const tell = (node, type) => node.dispatchEvent(new Event(type, { bubbles: true }));
const input = (node, value) => (node.value = value, tell(node, "input"));
const choose = (node, value) => (node.value = value, tell(node, "change"));

async function isTaken(request) {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(`${base}/preview`, { method: "POST", headers, body: stringify(request) });
  const { upstream, live, errors } = await answer.json();
  return answer.status === 200 && upstream ? null : JSON.stringify(errors ?? live.missing);
}

// What a field offers: [{ name, act, value }].
function offers(field, words) {
  const kind = [].concat(words.type ?? []).join();
  const list = [];
  for (const option of field.querySelectorAll("select option:not([hidden])")) {
    const index = Number(option.value), names = words.enum ?? words.anyOf?.find(one => one.enum).enum;
    if (option.value === "" || index >= names.length) continue;
    list.push({ name: option.textContent, value: names[index], act: () => choose(option.parentNode, option.value) });
  }
  const values = words.enum ?? (words.const !== undefined ? [words.const] : [true, false]);
  for (const [index, radio] of [...field.querySelectorAll("input[type=radio]")].slice(0, values.length).entries()) {
    const act = () => radio.checked ? tell(radio, "change") : radio.click(); // a click on what is the default changes nothing
    list.push({ name: radio.parentNode.textContent, value: values[index], act });
  }
  for (const [index, box] of field.querySelectorAll("input[type=checkbox]").entries())
    list.push({ name: box.parentNode.textContent, value: [words.items.enum[index]], act: () => box.click() });
  for (const slider of field.querySelectorAll("input[type=range]"))
    for (const end of [slider.min, slider.max])
      list.push({ name: `slider at ${end}`, value: Number(end), act: () => input(slider, end) });
  return list;
}

// What may be typed: it must come into the request as it is.
const TYPED = { integer: "18446744073709551615", number: "0.1", object: '{"a": [18446744073709551615]}', array: "[1]" };
TYPED["object,array"] = TYPED.array;

for (const { name, schema, requests } of parse(text)) await root(async dispose => {
  const body = signal({});
  const set = (path, value) => body.value = put(body.peek(), path, value);
  const form = schemaForm(schema, { get: path => at(body.value, path), set, said: () => [] });
  document.body.append(form); // what is in no document tells of no change
  const lie = (path, what) => lies.push(`${name}: ${path}: ${what}`);
  for (const [path, words] of Object.entries(schema.properties)) {
    const field = form.querySelector(`[data-path="${path}"]`);
    if (!field) {
      lie(path, "has no field");
      continue;
    }
    if (!field.querySelector("label, legend").textContent.trim()) lie(path, "has no label");
    for (const offer of offers(field, words)) {
      body.value = put(requests[path], path, undefined);
      offer.act();
      tried++;
      const got = at(body.value, path);
      if (!same(got, offer.value)) lie(path, `${offer.name} gave ${stringify(got ?? null)}`);
      if (words.items || !same(got, offer.value)) continue;
      const refused = await isTaken(body.value);
      if (refused) lie(path, `${offer.name} is offered and refused: ${refused}`);
    }
    const box = field.querySelector("input[type=text], textarea"), type = [].concat(words.type ?? []).join();
    if (!box || words.x_file || words.anyOf || words.items) continue;
    body.value = {};
    const typed = TYPED[type] ?? "it's \"5\" <b>";
    input(box, typed);
    tried++;
    const wanted = TYPED[type] ? parse(typed) : typed;
    if (!same(at(body.value, path), wanted)) lie(path, `${typed} gave ${stringify(at(body.value, path) ?? null)}`);
    body.value = put({}, path, wanted);
    if (/integer|number/.test(type) && TYPED[type] && box.value !== typed) lie(path, `${typed} is shown as ${box.value}`);
  }
  form.remove();
  dispose();
});
return [lies, tried];]==]

local function escape(text)
  return (text:gsub("[^%w%-._~]", function(byte) return ("%%%02X"):format(byte:byte()) end))
end

local function choices_of(host, row)
  local base = "/api/providers/" .. SEGMENTS[row.kind] .. "/" .. row.id
  local list = exact.array()
  for _, brief in ipairs(host:get(base .. "/inputs").json.choices) do
    local query = {}
    for _, name in ipairs { "mode", "model", "operation" } do
      if type(brief[name]) == "string" then
        query[#query + 1] = name .. "=" .. escape(brief[name])
      end
    end
    local choice = probes.plain(host:get(base .. "/inputs?" .. table.concat(query, "&")).json.choice)
    local requests = {}
    for path, words in pairs(choice.schema.properties) do
      requests[path] = probes.request(choice, path, probes.sample(words))
    end
    list[#list + 1] = { name = probes.name(choice), schema = choice.schema, requests = requests }
  end
  return base:sub(2), list
end

studio.describe("the form of Make", function()
  local page, tried = nil, 0
  setup(function()
    page = studio.open()
    page:go "#/host" -- a page that asks for nothing meanwhile
  end)
  teardown(function() page:remove() end)

  for _, kind in ipairs { "gpu", "image", "video" } do
    for _, row in ipairs(providers) do
      it(("has all and tells the truth: %s, %s"):format(row.id, kind), function()
        if page.host:get(("/api/providers/%s/%s/inputs"):format(SEGMENTS[kind], row.id)).status == 404 then return end
        local base, list = choices_of(page.host, { id = row.id, kind = kind })
        local result = page:await(TRY, base, exact.encode(list))
        assert.same({}, result[1])
        tried = tried + result[2]
        page:console() -- what is refused, such as 400, is told there too
      end)
    end
  end

  it("was tried with many values", function() assert.is_true(tried > 2000, tried .. " were tried") end)
end)
