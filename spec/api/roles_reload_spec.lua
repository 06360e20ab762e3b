-- Two at once: many clients with different keys, while the configuration is edited under them. Each answer is by the old
-- configuration or by the new one, whole: key, role, flag, budget and list of hosts of one and the same file.
local exact = require "spec.support.exact_json"
local http = require "spec.support.http"
local keys = require "spec.support.keys"
local start = require("spec.support.host").start

local CLIENTS, ROUNDS = 12, 60

-- Two configurations in which everything that an answer can tell differs.
local function config(which)
  local first = which == 1
  local function budget(usd) return { per_day = usd, per_month = usd } end
  return {
    features = { enable_public_gpu = first, enable_public_image_providers = first },
    server = { threads = 32, api_keys = {
      keys.entry("alice", { may = first and { "read", "submit" } or { "read" }, budget_usd = budget(first and 1 or 3) }),
      keys.entry("bob", { may = first and { "read" } or { "read", "submit", "live" }, budget_usd = budget(first and 2 or 4) }),
      keys.entry("boss", { budget_usd = budget(first and 5 or 6) }),
    } },
    live = { enabled = false, budget_usd = budget(first and 10 or 20), providers = { modal = { -- nothing may go out
      enabled = true, budget_usd = budget(first and 11 or 21), hosts = { first and "a--*.modal.run" or "b--*.modal.run" } } } },
  }
end

local function modal(name)
  return { job = { url = "https://" .. name .. "--app-fn.modal.run", body = {} }, dry_run = false, max_cost_usd = 0.01 }
end

-- What is asked, and which configuration the answer is by: 1, 2, or an error.
local ASKED = {
  { "alice", "POST", "/api/providers/image/fal/submit", { prompt = "x" }, function(answer)
    if answer.status == 403 then
      assert.truthy(answer.json.detail:find("needs the role submit in server.api_keys[].may, and has read", 1, true))
      return 2
    end
    assert.equal(200, answer.status)
    assert.is_true(answer.json.feature.enabled)
    return 1
  end },
  { "bob", "POST", "/api/providers/image/fal/submit", { prompt = "x", dry_run = false }, function(answer)
    if answer.status == 403 then
      assert.truthy(answer.json.detail:find("needs the role submit", 1, true))
      return 1
    end
    assert.equal(200, answer.status)
    assert.is_false(answer.json.feature.enabled)
    return 2
  end },
  { "boss", "GET", "/api/budget", nil, function(answer)
    local json = answer.json
    local limits = {}
    for i, key in ipairs(json.api_keys) do limits[i] = math.tointeger(key.day.limit_usd) end
    limits[4], limits[5] = math.tointeger(json.host.day.limit_usd), math.tointeger(json.providers[1].day.limit_usd)
    local text = table.concat(limits, " ")
    assert.is_true(text == "1 2 5 10 11" or text == "3 4 6 20 21", text)
    return text == "1 2 5 10 11" and 1 or 2
  end },
  { "boss", "POST", "/api/providers/gpu/public/modal/submit", modal("a"), function(answer)
    assert.equal(200, answer.status)
    local missing = table.concat(answer.json.live.missing, "\n")
    local listed = not missing:find("live.providers.modal.hosts does not name a", 1, true)
    assert.equal(answer.json.feature.enabled, listed)
    return listed and 1 or 2
  end },
  { "boss", "POST", "/api/providers/gpu/public/modal/submit", modal("b"), function(answer)
    assert.equal(200, answer.status)
    local missing = table.concat(answer.json.live.missing, "\n")
    local listed = not missing:find("live.providers.modal.hosts does not name b", 1, true)
    assert.equal(not answer.json.feature.enabled, listed)
    return listed and 2 or 1
  end },
}

describe("clients with different keys, while the configuration changes,", function()
  local host
  setup(function()
    host = start { config = config(1), secrets = { modal = { token_id = "wk-planted1", token_secret = "ws-planted2" } } }
  end)
  teardown(function() host:remove() end)

  it("are each answered by the one or the other, whole", function()
    local texts = { exact.encode(config(1)), exact.encode(config(2)) }
    local clients, by = {}, { 0, 0 }
    for i = 1, CLIENTS do clients[i] = http.connect(host.port) end
    for round = 1, ROUNDS do
      local asked = {}
      for i, client in ipairs(clients) do
        asked[i] = ASKED[(i + round) % #ASKED + 1]
        local name, method, path, body = table.unpack(asked[i], 1, 4)
        client:send(method, path, body, keys.headers(name))
        if i == CLIENTS // 2 then host:write("config/comfyvn.json", texts[round % 2 + 1]) end
      end
      for i, client in ipairs(clients) do
        local which = asked[i][5](client:receive())
        by[which] = by[which] + 1
      end
    end
    for _, client in ipairs(clients) do client:close() end
    assert.is_true(by[1] > 0 and by[2] > 0, ("%d and %d"):format(by[1], by[2]))
  end)

  it("keep what they have: a role that is taken away is gone with the next request", function()
    for round = 1, 6 do
      host:write("config/comfyvn.json", exact.encode(config(round % 2 + 1)))
      local name, method, path, body, which = table.unpack(ASKED[1], 1, 5)
      host:eventually(function() return which(host:request(method, path, body, keys.headers(name))) == round % 2 + 1 end)
      for _ = 1, 5 do assert.equal(round % 2 + 1, which(host:request(method, path, body, keys.headers(name)))) end
    end
  end)
end)
