-- POST /v1/videos: dry runs and live jobs of all providers of videos, as forms and as JSON.
local exact = require "spec.support.exact_json"
local hosts = require "spec.support.host"
local keys = require "spec.support.keys"
local live_support = require "spec.support.live"
local registry = require "spec.support.registry"
local videos = require "spec.support.openai_videos"

local BOUNDARY = "----formdata-undici-0123456789"

-- { { name =, value = } | { name =, filename =, type =, bytes = }, ... } as multipart/form-data.
local function form(fields)
  local parts = {}
  for _, field in ipairs(fields) do
    local head = ('--%s\r\nContent-Disposition: form-data; name="%s"'):format(BOUNDARY, field.name)
    if field.filename then head = ('%s; filename="%s"\r\nContent-Type: %s'):format(head, field.filename, field.type) end
    parts[#parts + 1] = head .. "\r\n\r\n" .. (field.bytes or field.value) .. "\r\n"
  end
  return table.concat(parts) .. "--" .. BOUNDARY .. "--\r\n"
end

local function fields_of(members)
  local fields = {}
  for name, value in pairs(members) do fields[#fields + 1] = { name = name, value = tostring(value) } end
  table.sort(fields, function(a, b) return a.name < b.name end)
  return fields
end

local function post_form(host, fields, headers, base)
  local all = { ["Content-Type"] = "multipart/form-data; boundary=" .. BOUNDARY }
  for name, value in pairs(headers or {}) do all[name] = value end
  return host:post((base or "/v1") .. "/videos", form(fields), all)
end

local function post(host, body, headers, base) return host:post((base or "/v1") .. "/videos", body, headers) end

local function created(answer)
  assert.equal(200, answer.status, answer.body)
  local video = videos.check(answer.json)
  assert.equal(video.providerd.job_id, answer.headers["x-providerd-job-id"])
  return video
end

local WISHES = {
  { model = "runway/gen4.5", seconds = "4", size = "1280x720" },
  { model = "luma/ray-2", seconds = "5", size = "1280x720" },
  { model = "pika/v2.2/text-to-video", seconds = "5", size = "1280x720" },
  { model = "fal/fal-ai/veo3" },
  { model = "replicate/kwaivgi/kling-v2.1" },
}

describe("a video that is created as a dry run", function()
  local host
  setup(function() host = hosts.start { config = { openai = { models = { ["sora-2"] = "runway/gen4.5" } } } } end)
  teardown(function() host:remove() end)

  for _, wish in ipairs(WISHES) do
    it("by " .. wish.model .. " is completed at once, and told again in the same words", function()
      local body = { prompt = "a lighthouse" }
      for name, value in pairs(wish) do body[name] = value end
      for _, answer in ipairs { post_form(host, fields_of(body)), post(host, body) } do
        local video = created(answer)
        assert.equal("true", answer.headers["x-providerd-dry-run"])
        assert.same({ "completed", wish.model, "a lighthouse", true },
          { video.status, video.model, video.prompt, video.providerd.dry_run })
        if wish.seconds then assert.same({ wish.seconds, wish.size }, { video.seconds, video.size }) end
        assert.truthy(video.providerd.upstream.url)
        assert.truthy(#video.providerd.live.missing > 0)
        local warnings = table.concat(video.providerd.warnings, "\n")
        for _, text in ipairs(video.providerd.live.missing) do assert.falsy(warnings:find(text, 1, true), text) end
        local price = video.providerd.estimates.estimated_cost_usd
        assert.equal(price ~= exact.null and price or nil, tonumber(answer.headers["x-providerd-estimated-cost-usd"]))
        local again = videos.get(host, video.providerd.job_id)
        for _, name in ipairs { "id", "model", "prompt", "size", "seconds", "status", "created_at" } do
          assert.equal(video[name], again[name], name)
        end
        assert.equal(200, host:get("/v1/videos/" .. video.id .. "/content").status)
      end
    end)
  end

  it("has the foreign name that an operator gave, and who asked", function()
    local video = created(post(host, { model = "sora-2", prompt = "x", seconds = 8, size = "720x1280", user = "me" }))
    local again = videos.get(host, video.providerd.job_id)
    assert.same({ "sora-2", "8", "720x1280", "me", "runway" },
      { again.model, again.seconds, again.size, again.providerd.user, again.providerd.provider })
  end)

  it("has the whole prompt, of which the job's row has only the beginning elsewhere", function()
    local prompt = ("a very long tale \u{fc} "):rep(400)
    local video = created(post(host, { model = "fal/fal-ai/veo3", prompt = prompt }))
    assert.equal(prompt, videos.get(host, video.providerd.job_id).prompt)
    assert.is_true(#host:get("/api/jobs/status/" .. video.providerd.job_id).json.payload.prompt < #prompt)
  end)

  it("keeps no credential that somebody pasted into a field", function()
    local key = "sk-0123456789abcdef0123456789abcdef"
    local answer = post(host, { model = "runway/gen4.5", prompt = "a cat " .. key, seconds = "4", size = "1280x720", user = key })
    local video = created(answer)
    assert.falsy(answer.body:find(key, 1, true))
    assert.falsy(host:get("/v1/videos/" .. video.id).body:find(key, 1, true))
    assert.falsy(registry.text(host):find(key, 1, true))
  end)

  it("is the same for the same Idempotency-Key, in whichever boundary, and refused for another wish", function()
    local wish = { model = "runway/gen4.5", prompt = "once", seconds = "4", size = "1280x720" }
    local headers = { ["Idempotency-Key"] = "one-1" }
    local first = created(post_form(host, fields_of(wish), headers))
    local again = post(host, wish, headers)
    assert.equal(first.id, created(again).id)
    assert.equal("true", again.headers["idempotent-replayed"])
    wish.prompt = "twice"
    local answer = videos.refused(409, "idempotency_conflict", post(host, wish, headers))
    assert.equal("invalid_request_error", answer.type)
  end)

  it("is no job when it is refused", function()
    local _, before = videos.list(host)
    for _, case in ipairs {
      { 400, "missing_required_parameter", "model", { prompt = "x" } },
      { 400, "missing_required_parameter", "prompt", { model = "runway/gen4.5" } },
      { 404, "model_not_found", "model", { model = "nobody/nothing", prompt = "x" } },
      { 404, "model_not_found", "model", { model = "sora-3", prompt = "x" } },
      { 400, "invalid_value", "size", { model = "luma/ray-2", prompt = "a cat", seconds = "5", size = "1024x1792" } },
      { 400, "invalid_value", "seconds", { model = "luma/ray-2", prompt = "a cat", seconds = "7", size = "1280x720" } },
      { 403, "live_disabled", "dry_run", { model = "runway/gen4.5", prompt = "a cat", size = "1280x720", dry_run = false } },
    } do
      local status, code, param, body = table.unpack(case)
      assert.equal(param, videos.refused(status, code, post(host, body)).param)
      assert.equal(param, videos.refused(status, code, post_form(host, fields_of(body))).param)
    end
    local wish = { model = "luma/ray-2", prompt = "a cat", seconds = "5", size = "1280x720" }
    videos.refused(403, "live_disabled", post(host, wish, nil, "/live/v1"))
    videos.refused(403, "live_disabled", post(host, wish, { ["X-Providerd-Dry-Run"] = "false" }))
    local _, after = videos.list(host)
    assert.equal(before.first_id, after.first_id)
    created(post(host, wish, { ["X-Providerd-Dry-Run"] = "true" }, "/live/v1"))
  end)

  it("is not made by a page of another origin, whose form needs no preflight", function()
    local wish = fields_of { model = "runway/gen4.5", prompt = "x", dry_run = "false" }
    for _, headers in ipairs { { Origin = "https://evil.example" }, { ["Sec-Fetch-Site"] = "cross-site" } } do
      videos.refused(403, "origin_not_allowed", post_form(host, wish, headers))
      videos.refused(403, "origin_not_allowed", post_form(host, wish, headers, "/live/v1"))
    end
  end)
end)

describe("a video that is created live", function()
  local live
  setup(function()
    live = live_support.start { hurry = 10, config = function(config)
      config.openai = { models = { ["sora-2"] = "runway/gen4.5" } }
      config.server.api_keys = { keys.entry("all"), keys.entry("reader", { may = { "read" } }) }
    end }
  end)
  teardown(function() live:remove() end)
  local mine = keys.headers "all"

  local function ended(video)
    return live.host:eventually(function()
      local now = videos.get(live.host, video.providerd.job_id, mine)
      return (now.status == "completed" or now.status == "failed") and now or nil
    end)
  end

  for _, wish in ipairs(WISHES) do
    it("by " .. wish.model .. " is open, then completed, with its file", function()
      local body = { prompt = "a lighthouse", max_cost_usd = "5" }
      for name, value in pairs(wish) do body[name] = value end
      local answer = post_form(live.host, fields_of(body), mine, "/live/v1")
      local video = created(answer)
      assert.same({ wish.model, false }, { video.model, video.providerd.dry_run })
      assert.is_nil(answer.headers["x-providerd-dry-run"])
      assert.truthy(video.status == "completed" or answer.headers["openai-poll-after-ms"])
      local done = ended(video)
      assert.same({ "completed", video.model, video.prompt }, { done.status, done.model, done.prompt })
      if wish.size then assert.same({ wish.size, wish.seconds }, { done.size, done.seconds }) end
      local content = live.host:get("/v1/videos/" .. video.id .. "/content", mine)
      assert.equal(200, content.status)
      assert.is_nil(content.headers["x-providerd-dry-run"])
    end)
  end

  it("is asked for in the body, by a header or by the base URL, and dry when any of them says so", function()
    local wish = { model = "sora-2", prompt = "x", seconds = "4", size = "1280x720" }
    local function is_dry(body, headers, base)
      for name, value in pairs(wish) do body[name] = value end
      return created(post(live.host, body, keys.headers("all", headers), base)).providerd.dry_run
    end
    assert.is_true(is_dry {})
    assert.is_false(is_dry { dry_run = false })
    assert.is_false(is_dry({}, { ["X-Providerd-Dry-Run"] = "false" }))
    assert.is_false(is_dry({}, nil, "/live/v1"))
    assert.is_true(is_dry({ dry_run = true }, nil, "/live/v1"))
    assert.is_true(is_dry({ dry_run = false }, { ["X-Providerd-Dry-Run"] = "true" }))
  end)

  it("is one for each of two equal calls, whose answers arrived", function()
    local wish = { model = "sora-2", prompt = "twins", seconds = "4", size = "1280x720", dry_run = false }
    local one, two = created(post(live.host, wish, mine)), created(post(live.host, wish, mine))
    assert.not_equal(one.id, two.id)
  end)

  it("needs a key that may submit, and a price or a maximum", function()
    local wish = { model = "replicate/kwaivgi/kling-v2.1", prompt = "x", dry_run = false }
    videos.refused(403, "insufficient_permissions", post(live.host, wish, keys.headers "reader"))
    videos.refused(401, "invalid_api_key", post(live.host, wish))
    videos.refused(400, "max_cost_required", post(live.host, wish, mine))
  end)
end)

describe("a video that the budget is short for", function()
  it("is 402, which clients do not send again", function()
    local live = live_support.start { config = function(config) config.live.budget_usd.per_day = 0.1 end }
    finally(function() live:remove() end)
    local wish = { model = "runway/gen4.5", prompt = "x", seconds = "4", size = "1280x720" }
    local answer = post(live.host, wish, nil, "/live/v1")
    local error = videos.refused(402, "billing_hard_limit_reached", answer)
    assert.equal("insufficient_quota", error.type)
    assert.equal(0, live:paid())
    assert.same({}, (videos.list(live.host)))
  end)
end)
