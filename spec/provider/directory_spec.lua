-- What scripts send to the vendors' directories, and how they read the answers, by the recorded cases
-- (spec/contracts/directory.json). A case is data: `given` says which function is called with what, `fails` that the answer is
-- none (then only where it is sent counts), `also` what is asked for besides, `later` what further requests are told; `expect`
-- what to make of it.
local contract = require "spec.support.contract"
local directory_cases = require "spec.support.directory_cases"
local exact = require "spec.support.exact_json"
local offline = require "author.offline"

local cjson, cases = offline.cjson, directory_cases.all()
local schema = offline.require "schema"
local IDS = { huggingface = "hf_inference_endpoints" }

local function as_lua(value) return directory_cases.as_lua(value, cjson) end

local function as_response(recorded)
  local response = contract.as_response(recorded)
  if response.json then response.json = as_lua(response.json) end
  return response
end

local function call(provider, case, responses)
  local given = case.given
  if given.verb == "health" then return offline.health(provider, responses) end
  if given.verb == "models" then return offline.models(provider, as_lua(given.query), responses) end
  if given.verb == "describe" then return offline.describe(provider, given.id, responses) end
  return offline.prices(provider, as_lua(given.ids), responses)
end

-- ---- what is sent ------------------------------------------------------------------------------------------------------

local function decode(text)
  return (text:gsub("%+", " "):gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

-- Name -> set of values; ids may be repeated or joined by commas.
local function query_of(url, pairs_of_query)
  local query = {}
  local function add(name, value)
    query[name] = query[name] or {}
    for part in (value .. ","):gmatch("([^,]*),") do query[name][part] = true end
  end
  for name, value in (url:match("%?(.*)$") or ""):gmatch("([^&=]+)=([^&]*)") do add(decode(name), decode(value)) end
  for _, pair in ipairs(pairs_of_query or {}) do add(pair[1], pair[2]) end
  return query
end

-- How many are asked for at once, and of whom, is the script's affair.
local FREE = { limit = true, inference_provider = true, status = true }

local function differences(recorded, sent, also, fails)
  local list = {}
  local function compare(what, wanted, found)
    if wanted ~= found then list[#list + 1] = ("%s: %s, not %s"):format(what, tostring(found), tostring(wanted)) end
  end
  compare("method", recorded.method, sent.method)
  compare("url", recorded.url:match("^[^?]*"), sent.url:match("^[^?]*"))
  local wanted, found = query_of(recorded.url, recorded.query), query_of(sent.url)
  for name, values in pairs(wanted) do
    for value in pairs(values) do
      if not FREE[name] and not (found[name] and found[name][value]) then list[#list + 1] = "lacks " .. name .. "=" .. value end
    end
  end
  for _, pair in ipairs(also or {}) do
    local name, value = pair:match("^(.-)=(.*)$")
    found[name][value] = nil
  end
  for name, values in pairs(found) do
    for value in pairs(values) do
      if not FREE[name] and not (wanted[name] and wanted[name][value]) then list[#list + 1] = "also " .. name .. "=" .. value end
    end
  end
  if type(recorded.body) == "table" and recorded.body.query and not fails then
    compare("query", recorded.body.query:gsub("%s+", " "), (sent.json or {}).query:gsub("%s+", " "))
  end
  return list
end

-- ---- what is read ------------------------------------------------------------------------------------------------------

local function index_of(result)
  local by_id = {}
  for _, model in ipairs(result.models) do by_id[model.id] = model end
  return by_id
end

local function sorted(list)
  local copy = { table.unpack(list) }
  table.sort(copy)
  return copy
end

local function check_row(model, wanted)
  assert.is_truthy(model)
  for name, value in pairs(wanted) do
    if name == "price_text" then
      assert.equal(value, (model.price or {}).text)
    else
      assert.equal(value, model[name])
    end
  end
end

local READ_LIST = {
  models = function(result, wanted)
    if type(wanted) == "number" then return assert.equal(wanted, #result.models) end
    local by_id = index_of(result)
    if exact.is_array(wanted) then
      for _, id in ipairs(wanted) do assert.is_truthy(by_id[id], id) end
    else
      for id, row in pairs(wanted) do check_row(by_id[id], row) end
    end
  end,
  next = function(result, wanted)
    if wanted == exact.null then return assert.is_nil(result.next) end
    if wanted:find " " then return assert.equal("string", type(result.next)) end
    assert.equal(wanted, result.next)
  end,
  kinds = function(result, wanted)
    for id, kind in pairs(wanted) do assert.equal(kind, index_of(result)[id].kind) end
  end,
  deprecated = function(result, wanted)
    for _, id in ipairs(wanted) do assert.equal("deprecated", index_of(result)[id].status) end
  end,
  tasks = function(result, wanted)
    for id, list in pairs(wanted) do
      local task = index_of(result)[id].task
      local found = false
      for _, name in ipairs(list) do found = found or name == task end
      assert.is_true(found, tostring(task))
    end
  end,
}

function READ_LIST.variants(result, wanted)
  local found = {}
  for _, model in ipairs(result.models) do found[model.id:match("[^/]+$")] = model.inputs end
  for _, name in ipairs(wanted) do assert.is_table(found[name], name) end
end

local READ_HEALTH = {
  balance_usd = function(health, wanted) assert.near(wanted, health.balance_usd, 1e-9) end,
}

local function brief_outputs(list)
  local brief = {}
  for index, output in ipairs(list) do brief[index] = { path = output.path, kind = output.kind } end
  return brief
end

local READ_MODEL = {
  kind = function(model, wanted) assert.equal(wanted, model.kind) end,
  status = function(model, wanted) assert.equal(wanted, model.status) end,
  version = function(model, wanted) assert.equal(wanted, model.version) end,
  required = function(model, wanted) assert.same(sorted(wanted), sorted(model.inputs.required)) end,
  files = function(model, wanted) assert.same(as_lua(wanted), schema.files(model.inputs)) end,
  outputs = function(model, wanted) assert.same(as_lua(wanted), brief_outputs(model.outputs)) end,
  drivers = function(model, wanted) assert.same(sorted(wanted), sorted(model.drivers or {})) end,
  inputs = function(model) assert.is_nil(model.inputs) end,
  price = function(model) assert.is_falsy(model.price) end,
  found = function(model) assert.is_true(model.missing) end,
  providers = function(model, wanted)
    for _, name in ipairs(wanted) do assert.is_truthy(model.description:find(name, 1, true), name) end
  end,
}

-- Replicate does not say what a model makes: its script may say "other" where a reader of the schema knows better.
local function is_told(case, name)
  return not (case.vendor == "replicate" and name == "kind")
end

local READ_PRICES = {}
function READ_PRICES.all(result, case)
  for _, price in ipairs(case.response.body.prices) do
    local read = result[price.endpoint_id]
    assert.is_truthy(read, price.endpoint_id)
    assert.equal(price.unit_price, read.usd)
    assert.equal(price.unit, read.unit_raw or read.unit)
  end
end

local function check_answer(case, result)
  if case.given.verb == "prices" then return READ_PRICES.all(result, case) end
  local readers = case.given.verb == "models" and READ_LIST or case.given.verb == "health" and READ_HEALTH or READ_MODEL
  for name, wanted in pairs(case.expect or {}) do
    if readers[name] and is_told(case, name) then readers[name](result, wanted) end
  end
end

-- ---- the cases ---------------------------------------------------------------------------------------------------------

local function no_key_abroad(request)
  for name, value in pairs(request.headers) do
    assert.is_nil(value:find("{", 1, true), "a credential in " .. name .. " to " .. request.url)
  end
end

local OWN_HOSTS = {
  "api.fal.ai", "api.replicate.com", "huggingface.co", "api.dev.runwayml.com", "api.lumalabs.ai", "api.stability.ai",
}

local function is_own(url)
  for _, host in ipairs(OWN_HOSTS) do
    if url:match("^https://([^/?#]+)") == host then return true end
  end
  return false
end

local PROVIDERS = { "runpod", "hf_inference_endpoints", "replicate", "modal", "stability", "fal", "runway", "pika", "luma" }

local CALLS = {
  models = function(provider, responses) return offline.models(provider, {}, responses) end,
  describe = function(provider, responses) return offline.describe(provider, "acme/model", responses) end,
  prices = function(provider, responses) return offline.prices(provider, { "acme/model" }, responses) end,
}

local NO_ANSWERS = {
  { status = 200, body = "<html>", headers = { ["content-type"] = "text/html" } }, { status = 503, body = "" },
  { status = 429, json = { error = "slow" } }, { status = 401, json = {} },
  { failure = { kind = "timeout", message = "late" } }, { status = 200, json = cjson.array { 1, "a", cjson.null } },
  { status = 200, json = { models = "x", data = 5, prices = 1 } },
}

-- A failure with its reason, or a result that says nothing.
local function is_nothing(answer)
  local result = answer.result
  if result == nil then return type(answer.refusal) == "string" end
  if result.models then return #result.models == 0 end
  return next(result) == nil or result["acme/model"] == false or result.missing == true
end

describe("the directory of", function()
  for _, case in ipairs(cases) do
    local id = IDS[case.vendor] or case.vendor
    local provider = case.given and contract.load(id)
    local is_there = provider and provider[case.given.verb]
    if case.given and not is_there then
      it(case.name .. ": " .. id .. " has " .. case.given.verb, function() error("it has not") end)
    end
    if is_there then
      it(case.name .. ": asks as recorded", function()
        local sent = call(provider, case).upstream
        assert.is_truthy(sent, "nothing was sent")
        assert.same({}, differences(case.request, sent, case.given.also, case.given.fails))
        if not is_own(sent.url) then no_key_abroad(sent) end
        assert.is_true(sent.method == "GET" or sent.free ~= false)
      end)
      it(case.name .. ": reads the answer", function()
        local responses = { as_response(case.response) }
        for _, later in ipairs(case.given.later or {}) do responses[#responses + 1] = as_response(later) end
        local answer = call(provider, case, responses)
        if case.given.fails then
          assert.is_nil(answer.result)
          assert.is_true(#answer.refusal > 0)
        else
          assert.is_truthy(answer.result, answer.refusal)
          check_answer(case, answer.result)
        end
      end)
    end
  end

  for _, id in ipairs(PROVIDERS) do
    it(id .. ": what is no answer keeps the old, and says why", function()
      local provider = contract.load(id)
      for verb, run in pairs(CALLS) do
        for index, response in ipairs(provider[verb] and NO_ANSWERS or {}) do
          local answer = run(provider, { response, response, response, response, response, response, response, response })
          assert.is_true(is_nothing(answer), ("%s, answer %d"):format(verb, index))
        end
      end
    end)
  end
end)
