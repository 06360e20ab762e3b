-- What becomes of OpenAI's fields: spec/openai/fields.json says for each request what the vendor would be sent, or how it is
-- refused. Each that can be a form is sent as one, too.
local exact = require "spec.support.exact_json"
local form = require "spec.support.form"
local hosts = require "spec.support.host"

local function read_cases()
  local file = assert(io.open("spec/openai/fields.json"))
  local text = file:read("a")
  file:close()
  return exact.decode(text)
end

-- Is what is wanted in what there is? A list is the whole list.
local function has(wanted, found, path)
  if type(wanted) ~= "table" or wanted[1] ~= nil then
    assert.same(wanted, found, path)
    return
  end
  assert.equal("table", type(found), path)
  for name, value in pairs(wanted) do has(value, found[name], path .. "." .. name) end
end

local function named(parts)
  local values = {}
  for _, part in ipairs(parts) do values[part.name] = part.value or "(a file)" end
  return values
end

local function has_warning(warnings, wanted)
  for _, warning in ipairs(warnings) do
    if warning:find(wanted, 1, true) then return true end
  end
  return false
end

-- What the gate says of every dry run is no warning of the door's.
local function of_request(warnings)
  local found = {}
  for _, warning in ipairs(warnings or {}) do
    if not warning:find("^feature flag") and not warning:find("^credential ") and not warning:find("^route: ") then
      found[#found + 1] = warning
    end
  end
  return found
end

local function is_refused(case, answer)
  local wanted = case.error
  assert.equal(wanted.code == "model_not_found" and 404 or 400, answer.status, answer.body)
  local error = answer.json.error
  assert.same({ "invalid_request_error", wanted.code, wanted.param }, { error.type, error.code, error.param }, answer.body)
  assert.truthy(error.message:find(wanted.text, 1, true), error.message)
end

local function is_sent(case, answer)
  assert.equal(200, answer.status, answer.body:sub(1, 600))
  local ours = answer.json.providerd
  assert.is_true(ours.dry_run)
  local sent = ours.upstream.form and named(ours.upstream.form) or ours.upstream.body
  has(case.sends or case.form, sent, "upstream")
  for _, name in ipairs(case.absent or {}) do assert.is_nil(sent[name], name) end
  local warnings = of_request(ours.warnings)
  for _, wanted in ipairs(case.warns or {}) do assert.is_true(has_warning(warnings, wanted), wanted) end
  if case.warns and #case.warns == 0 then assert.same({}, warnings) end
  if case.usd then assert.equal(case.usd, ours.estimates.estimated_cost_usd) end
end

-- In a form there are no nulls, and no objects in lists; 7 is a text there, and a text may be any length.
local function fits_a_form(body)
  for _, value in pairs(body) do
    if value == exact.null or type(value) == "table" and type(value[1]) == "table" then return false end
  end
  return body.prompt ~= 7
end

describe("a request of OpenAI's form", function()
  local host

  setup(function()
    host = hosts.start { config = { server = { threads = 16 }, openai = { models = { ["sora-2"] = "runway/gen4.5" } } } }
  end)
  teardown(function() host:remove() end)

  for _, case in ipairs(read_cases()) do
    local check = case.error and is_refused or is_sent

    it(case.name, function()
      check(case, host:post("/v1/" .. case.path, case.body))
      assert.is_true(#case.name > 0)
    end)

    if fits_a_form(case.body) then
      it(case.name .. " (as a form)", function()
        check(case, form.post(host, "/v1/" .. case.path, form.parts(case.body)))
        assert.is_true(#case.name > 0)
      end)
    end
  end
end)
