-- The recorded contracts of the vendors (spec/contracts), through a running host: the preview that a submit answers is the
-- request that the vendor was recorded to take, and it is the same request that the script makes in plain Lua.
local contract = require "spec.support.contract"
local exact = require "spec.support.exact_json"
local golden = require "spec.support.golden"
local host = require "spec.support.host"
local providers = require "spec.support.providers"

local function submit(served, id, request)
  local provider = providers[id]
  return served:post(providers.path(provider, "submit"), providers.body(provider, request))
end

-- A host's preview in the shape that contract.differences takes.
local function as_request(upstream)
  local request = { method = upstream.method, url = upstream.url, headers = {}, form = upstream.form }
  for name, value in pairs(upstream.headers) do request.headers[name:lower()] = value end
  if type(upstream.body) == "table" then request.json = upstream.body else request.body = upstream.body end
  return request
end

-- A request of a script in plain Lua in the shape of a record.
local function as_record(request)
  return {
    method = request.method, url = request.url, headers = request.headers, form = request.form,
    body = request.json ~= nil and request.json or request.body,
  }
end

-- A user's own secret in a job is shown as ***; here it counts as what the record has there.
local function unmask(recorded, shown)
  if type(recorded) ~= "table" or type(shown) ~= "table" then return end
  for name, value in pairs(recorded) do
    if shown[name] == "***" and tostring(name):lower():find("secret", 1, true) then shown[name] = value end
    unmask(value, shown[name])
  end
end

describe("contract", function()
  local served
  setup(function() served = host.start() end)
  teardown(function() served:remove() end)

  for _, text in ipairs { "x", "a=b&c=d", "50% + 1 %41", "zwei\nZeilen, \"日本語\" 🎬", "/?#;{api_key}", "%", "%4", "=&=" } do
    it("shows a plain form as one: " .. text, function()
      local answer = submit(served, "pika", { prompt = text, model = "generate/2.2/t2v", parameters = { duration = 5 } })
      local upstream = exact.decode(answer.body).upstream
      assert.same({ { name = "promptText", value = text }, { name = "duration", value = "5" } }, upstream.form)
      assert.is_nil(upstream.body)
      assert.equal("application/x-www-form-urlencoded", upstream.headers["Content-Type"])
    end)
  end

  for _, id in ipairs(golden.IDS) do
    describe("of " .. id, function()
      local provider
      setup(function() provider = contract.load(id) end)

      for _, case in ipairs(contract.cases(id, exact.decode)) do
        local given = case.given
        if given and given.verb == "submit" then
          it(case.name, function()
            local answer = submit(served, id, given.request)
            assert.equal(200, answer.status, answer.body)
            local sent = exact.decode(answer.body).upstream
            assert.equal("table", type(sent), answer.body)
            sent = as_request(sent)
            unmask(case.request.body, sent.json)
            -- A dry run has no address for webhooks, and ends at the first request.
            if not given.earlier and not given.webhook_url then assert.same({}, contract.differences(case.request, sent)) end
            given.webhook_url = nil
            assert.same({}, contract.differences(as_record(contract.run(provider, case).upstream), sent))
          end)
        end
      end
    end)
  end
end)
