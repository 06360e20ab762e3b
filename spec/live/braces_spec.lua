-- Braces: a credential is written only where the script's own `auth` says so. A user's text may hold {api_key}, or JSON, in any
-- member: it goes out as it was previewed, is never filled, and keeps no job from being sent.
local cjson = require "cjson"
local exact = require "spec.support.exact_json"
local golden = require "spec.support.golden"
local mime = require "mime"
local providers = require "spec.support.providers"
local start = require("spec.support.host").start
local support = require "spec.support.live"

-- The names that stand in braces in each script's auth, and what must never show up beside it.
local NAMES = {
  runpod = { "api_key" }, hf_inference_endpoints = { "api_token" }, replicate = { "api_key" },
  modal = { "token_id", "token_secret" }, stability = { "api_key" }, fal = { "api_key" }, runway = { "api_key" },
  pika = { "api_key", "direct_api_key" }, luma = { "api_key", "agents_api_key" },
}
local AUTH = { authorization = true, ["modal-key"] = true, ["modal-secret"] = true, ["x-api-key"] = true }

-- Members that the cases of the earlier implementation do not have, and that end up in headers.
local FURTHER = {
  fal = {
    { runner_hint = "B" }, { expires_in_seconds = 3600 }, { parameters = { priority = "B", runner_hint = "B" } },
    { webhook = "https://h.example/B" }, { model = "fal-ai/flux/B" }, { ["X-Fal-Object-Lifecycle-Preference"] = "B" },
  },
  hf_inference_endpoints = {
    { accept = "B" }, { bill_to = "B" }, { headers = { ["X-A"] = "B" } }, { path = "/B" }, { parameters = { a = "B" } },
    { action = "create", namespace = "B", name = "a" },
  },
  modal = { { headers = { ["X-A"] = "B" } }, { session_id = "B" }, { query = { a = "B" } }, { auth = "B" } },
  runpod = { { headers = { ["X-A"] = "B" } }, { webhook = "https://h.example/B" }, { path = "B" }, { endpoint_id = "B" } },
  replicate = { { version = "B" }, { webhook = "https://h.example/B" }, { cancel_after = "B" }, { wait = "B" } },
  stability = { { parameters = { output_format = "B", client_id = "B", user_id = "B" } }, { client_id = "B" }, { accept = "B" } },
  runway = { { version = "B" }, { api_version = "B" } },
  pika = { { route = "direct", prompt = "B" }, { runner_hint = "B" } },
  luma = { { prompt = "B", model = "ray-flash-2", parameters = { resolution = "540p", duration = 5 } }, { model = "B" } },
}

local function copy(value)
  if type(value) ~= "table" or value == cjson.null then return value end
  local result = {}
  for name, item in pairs(value) do result[name] = copy(item) end
  return result
end

-- Calls `visit(path, put)` for every text below `value`; `put(text)` replaces it.
local function each_text(value, path, visit)
  for name, item in pairs(value) do
    local at = path .. "." .. tostring(type(name) == "number" and "[]" or name)
    if type(item) == "table" and item ~= cjson.null then
      each_text(item, at, visit)
    elseif type(item) == "string" then
      visit(at, function(text) value[name] = text end)
    end
  end
end

-- One request for each text of each known request: { path =, request = }, with `text` in its place.
local function mutations(id, text)
  local list, known = {}, {}
  local function add(base)
    each_text(base, "", function(path)
      if known[path] then return end
      known[path] = true
      local request = copy(base)
      each_text(request, "", function(at, put) if at == path then put(text) end end)
      list[#list + 1] = { path = path, request = request }
    end)
  end
  for _, case in ipairs(golden.cases(id)) do add(copy(golden.script_request(case))) end
  add(copy(providers[id].request))
  for i, members in ipairs(FURTHER[id]) do
    local request = copy(providers[id].request)
    for name, value in pairs(copy(members)) do request[name] = value end
    local encoded = exact.encode(request):gsub('"([^"]*)B([^"]*)"', function(before, after)
      return cjson.encode(before .. text .. after)
    end)
    list[#list + 1] = { path = "further " .. i, request = cjson.decode(encoded) }
  end
  return list
end

describe("braces in a request of", function()
  local host, vendor, planted

  setup(function()
    vendor = start { program = "/usr/bin/lua5.4", arguments = { "spec/support/recorder.lua" }, config = "",
      env = { LUA_PATH = os.getenv("LUA_PATH"), LUA_CPATH = os.getenv("LUA_CPATH") } }
    local config = support.config("http://127.0.0.1:" .. vendor.port)
    for _, provider in pairs(config.live.providers) do provider.hosts = { "*.modal.run",
      "*.us-east-1.aws.endpoints.huggingface.cloud" } end
    local secrets = copy(support.SECRETS)
    secrets.pika.direct_api_key, secrets.luma.agents_api_key = "direct-planted11", "luma-planted12"
    host = start { config = config, secrets = secrets }
    planted = {}
    for _, entry in pairs(secrets) do
      for _, value in pairs(entry) do planted[#planted + 1] = value end
    end
  end)
  teardown(function()
    host:remove()
    vendor:kill()
    vendor:remove()
  end)

  local function submit(id, request, members)
    return host:post(providers.path(providers[id], "submit"), providers.body(providers[id], request, members))
  end

  local function sent_since(count)
    local seen = vendor:get("/seen").json.seen
    return table.move(seen, count + 1, #seen, 1, {}), #seen
  end

  local function lowered(headers)
    local result = {}
    for name, value in pairs(headers) do result[name:lower()] = value end
    return result
  end

  -- No value of a credential is anywhere but in the headers of the script's auth.
  local function check_secrets(shown, sent, where)
    local rest = { sent.path, mime.unb64(sent.body) or "" }
    for name, value in pairs(sent.headers) do
      if not (AUTH[name] and (shown[name] or ""):find("{", 1, true)) then rest[#rest + 1] = value end
    end
    local text = table.concat(rest, "\n")
    for _, value in ipairs(planted) do assert.is_nil(text:find(value, 1, true), where .. ": a credential was filled in") end
  end

  -- What left is what was shown.
  local function check_sent(upstream, sent, where)
    local shown = lowered(upstream.headers)
    check_secrets(shown, sent, where)
    if upstream.url:find("to-be-looked-up", 1, true) then return end -- another request goes first
    assert.equal(upstream.method, sent.method, where)
    assert.equal(upstream.url:gsub("^https://", "/"), sent.path, where)
    for name, value in pairs(shown) do
      if AUTH[name] and value:find("{", 1, true) then
        assert.is_nil(sent.headers[name]:find("{", 1, true), where .. ": " .. name .. " was not filled")
      elseif name ~= "content-type" then
        assert.equal(value, sent.headers[name], where)
      end
    end
    if type(upstream.body) == "table" then assert.same(upstream.body, cjson.decode((mime.unb64(sent.body))), where) end
  end

  for _, provider in ipairs(providers) do
    local id = provider.id

    it(id .. " are text, in every member, shown and sent alike", function()
      local texts, live, count = {}, {}, select(2, sent_since(0))
      for _, name in ipairs(NAMES[id]) do texts[#texts + 1] = "{" .. name .. "}" end
      texts[#texts + 1] = "{nobody}"
      for _, text in ipairs(texts) do
        for _, case in ipairs(mutations(id, text)) do
          local answer = submit(id, case.request)
          assert.is_true(answer.status == 200 or answer.status == 400, case.path .. ": " .. answer.body)
          local upstream = answer.json.upstream
          if type(upstream) == "table" and exact.encode(upstream):find(text, 1, true) and #live < 60 then
            live[#live + 1] = { path = text .. " in " .. case.path, request = case.request, upstream = upstream }
          end
        end
      end
      assert.is_true(#live > 0, "no member carries a text to the vendor")
      local went = 0
      for _, case in ipairs(live) do
        local answer = submit(id, case.request, { dry_run = false, max_cost_usd = 1 })
        if answer.status == 202 then
          local job = answer.json.job_id
          host:eventually(function() return host:get("/api/jobs/status/" .. job).json.status == "error" end)
          local sent
          sent, count = sent_since(count)
          assert.is_true(#sent > 0, case.path .. ": nothing was sent")
          check_sent(case.upstream, sent[1], case.path)
          went = went + 1
        end
      end
      assert.is_true(went > 0, "no such job could be made live")
    end)
  end

  it("fal: the documented header that holds JSON goes out as it is shown", function()
    local _, count = sent_since(0)
    local answer = submit("fal", { prompt = "x", expires_in_seconds = 3600 }, { dry_run = false })
    assert.equal(202, answer.status, answer.body)
    host:eventually(function() return host:get("/api/jobs/status/" .. answer.json.job_id).json.status == "error" end)
    assert.equal('{"expiration_duration_seconds":3600}', sent_since(count)[1].headers["x-fal-object-lifecycle-preference"])
  end)
end)
