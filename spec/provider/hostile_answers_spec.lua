-- Answers and deliveries of the vendors (spec/contracts, spec/answers), spoiled one value at a time: a field that is missing,
-- null, or of another type, a body that is no object, or no JSON at all. Whatever a vendor sends, a script must not fail, and its
-- result must be one that the host can use.
local cjson = require "cjson"
local contract = require "spec.support.contract"
local offline = require "author.offline"

local IDS = { "runpod", "hf_inference_endpoints", "replicate", "modal", "stability", "fal", "runway", "pika", "luma" }

local function set(words)
  local all = {}
  for word in words:gmatch("%S+") do all[word] = true end
  return all
end

local STATUSES = set "queued running done error canceled unknown"
local CODES = set [[auth credit moderation rate_limited invalid not_found expired timeout canceled unavailable vendor]]
local CONTENTS = { "url", "base64", "data_uri", "text" }

local LONG = ("Some words of 1 text, ~9 s: https://a.b/c?d=e. "):rep(40)
local SPOILED = { nil, cjson.null, "", "odd", 7, -1.5, true, false, {}, { 1, "two" }, { a = { b = "c" } }, LONG, LONG:rep(50) }
local SPOILED_COUNT = 13
local BODIES = { "", "{", "null", "[]", "<html><body>502</body></html>", "\"text\"", "7", "\255\254" }

local function copy(value)
  if type(value) ~= "table" then return value end
  local all = {}
  for name, item in pairs(value) do all[name] = copy(item) end
  return all
end

-- Every place of a value: a list of paths.
local function places(value, path, found)
  if type(value) ~= "table" then return found end
  for name, item in pairs(value) do
    local deeper = { table.unpack(path) }
    deeper[#deeper + 1] = name
    found[#found + 1] = deeper
    places(item, deeper, found)
  end
  return found
end

local function put(value, path, item)
  for i = 1, #path - 1 do value = value[path[i]] end
  value[path[#path]] = item
end

local function check_artifact(artifact)
  local has_content = artifact.json ~= nil
  for _, name in ipairs(CONTENTS) do
    if artifact[name] ~= nil then
      if type(artifact[name]) ~= "string" then return "an artifact whose " .. name .. " is no text" end
      has_content = true
    end
  end
  if artifact.content_type ~= nil and type(artifact.content_type) ~= "string" then return "a content type that is no text" end
  return not has_content and "an artifact without content" or nil
end

local function check_cost(cost)
  if cost == nil then return nil end
  local usd = type(cost) == "table" and cost.usd
  if type(usd) ~= "number" or usd < 0 or usd ~= usd then return "a cost that is no amount" end
  return cost.source ~= "vendor" and cost.source ~= "computed" and "a cost of nobody's" or nil
end

local function check_error(problem, status)
  if problem == nil then return status == "error" and "an error without its code" or nil end
  if not CODES[problem.code] then return "the error code " .. tostring(problem.code) end
  if type(problem.message) ~= "string" then return "an error without a message" end
  if problem.billed ~= nil and type(problem.billed) ~= "boolean" then return "billed is neither true nor false" end
  return problem.vendor_code ~= nil and type(problem.vendor_code) ~= "string" and "a vendor code that is no text" or nil
end

-- What the host could not use of a result, or nil.
local function check(result)
  if type(result) ~= "table" then return "the result is " .. type(result) end
  if not STATUSES[result.status] then return "the status " .. tostring(result.status) end
  if result.id ~= nil and type(result.id) ~= "string" then return "an id that is no text" end
  if result.state ~= nil and type(result.state) ~= "table" then return "a state that is no table" end
  if result.reason ~= nil and type(result.reason) ~= "string" then return "a reason that is no text" end
  for _, name in ipairs { "retry_after", "progress" } do
    local value = result[name]
    if value ~= nil and (type(value) ~= "number" or value < 0 or value ~= value) then return name .. " is no number" end
  end
  for _, artifact in ipairs(result.artifacts or {}) do
    local problem = check_artifact(artifact)
    if problem then return problem end
  end
  return check_cost(result.cost) or check_error(result.error, result.status)
end

-- What is to be spoiled: { name =, parts = { { body = }, ... }, run = function(parts) }.
local function contract_case(provider, case)
  local verb = case.given and case.given.verb
  if verb == "webhook" then
    return { name = case.name, parts = { { body = case.given.delivery.json } }, run = function(parts)
      local given = copy(case.given)
      given.delivery.json = parts[1].body
      return contract.run(provider, { given = given }, { status = 503, body = "" })
    end }
  end
  if not case.response or not verb or verb == "health" then return nil end
  return { name = case.name, parts = { case.response }, run = function(parts) return contract.run(provider, case, parts[1]) end }
end

local function answers_case(provider, case)
  return { name = case.name, parts = case.answers, run = function(parts)
    local responses = {}
    for i, part in ipairs(parts) do
      responses[i] = part.failure and { failure = part.failure } or contract.as_response(part)
    end
    if case.verb == "submit" then return offline.submit(provider, case.request, responses) end
    return offline[case.verb](provider, case.job, responses, { webhook_url = case.webhook_url })
  end }
end

local function read_answers(id)
  local file = assert(io.open("spec/answers/" .. id .. ".json", "rb"))
  local cases = cjson.decode(file:read("a"))
  file:close()
  return cases
end

-- Runs the case with one part in place of its own, and keeps what is wrong with the result.
local function try(case, index, part, what, found)
  local parts = copy(case.parts)
  parts[index] = part
  local ok, answer = pcall(case.run, parts)
  local problem
  if not ok then problem = tostring(answer) end
  if ok and answer.result ~= nil then problem = check(answer.result) end -- else one more request, or a refusal
  if problem then found[#found + 1] = ("%s: %s: %s"):format(case.name, what, problem) end
end

local function describe_place(path, item)
  local names = {}
  for i, name in ipairs(path) do names[i] = tostring(name) end
  return table.concat(names, ".") .. " = " .. (item == nil and "missing" or cjson.encode(item))
end

local function spoil_values(case, index, found)
  for _, path in ipairs(places(case.parts[index].body, {}, {})) do
    local first = type(path[#path]) == "number" and 2 or 1 -- an array has no holes
    for i = first, SPOILED_COUNT do
      local part = copy(case.parts[index])
      put(part.body, path, SPOILED[i])
      try(case, index, part, describe_place(path, SPOILED[i]), found)
    end
  end
end

local function spoil_body(case, index, found)
  for _, body in ipairs(BODIES) do
    local ok, value = pcall(cjson.decode, body)
    local part = copy(case.parts[index])
    part.body = ok and type(value) == "table" and value or body
    try(case, index, part, ("body %q"):format(body), found)
  end
end

for _, id in ipairs(IDS) do
  describe("spoiled answers of " .. id, function()
    local provider, cases, found
    setup(function() provider, cases, found = contract.load(id), {}, {} end)

    it("are understood as far as they go", function()
      for _, case in ipairs(contract.cases(id)) do cases[#cases + 1] = contract_case(provider, case) end
      for _, case in ipairs(read_answers(id)) do cases[#cases + 1] = answers_case(provider, case) end
      for _, case in ipairs(cases) do
        for index, part in ipairs(case.parts) do
          if not part.failure then
            spoil_values(case, index, found)
            spoil_body(case, index, found)
          end
        end
      end
      assert.is_true(#cases > 20)
      assert.same({}, { table.unpack(found, 1, 20) })
    end)
  end)
end
