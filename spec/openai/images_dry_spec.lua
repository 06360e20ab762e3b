-- A dry run of images is answered with a picture that nobody takes for the real thing: marked five ways, stored nowhere.
local clocks = require "spec.support.clock"
local hosts = require "spec.support.host"
local keys = require "spec.support.keys"
local picture = require "spec.support.picture"
local registry = require "spec.support.registry"

local FAL = { model = "fal/flux", prompt = "a cat", size = "1536x1024" }

local function with(changes)
  local body = {}
  for name, value in pairs(FAL) do body[name] = value end
  for name, value in pairs(changes or {}) do body[name] = value end
  return body
end

local function first_of(answer)
  assert.equal(200, answer.status, answer.body)
  return picture.decode(answer.json.data[1].b64_json)
end

describe("a dry run of images", function()
  local host

  setup(function() host = hosts.start() end)
  teardown(function() host:remove() end)

  local function generate(changes, headers)
    return host:post("/v1/images/generations", with(changes), headers)
  end

  it("is a picture that is marked in itself, its file, header, body and registry", function()
    local answer = generate()
    local bytes = first_of(answer)
    assert.equal("1536x1024", picture.size(bytes))
    assert.truthy(picture.read(bytes).texts[1]:find("dry run", 1, true))
    assert.truthy(picture.read(bytes).texts[1]:find("fal-ai/flux/schnell", 1, true))
    assert.equal("true", answer.headers["x-providerd-dry-run"])
    assert.equal("0.006", answer.headers["x-providerd-estimated-cost-usd"])
    local ours = answer.json.providerd
    assert.is_true(ours.dry_run)
    assert.equal(answer.headers["x-providerd-job-id"], ours.job_id)
    local job = host:get("/api/jobs/status/" .. ours.job_id).json
    assert.is_true(job.dry_run)
    assert.equal("public.image.submit", job.kind)
  end)

  it("tells what live would send, cost and lack", function()
    local answer = generate()
    local ours = answer.json.providerd
    assert.same({ "fal", "fal-ai/flux/schnell", 0.006 }, { ours.provider, ours.model, ours.estimates.estimated_cost_usd })
    assert.equal("https://queue.fal.run/fal-ai/flux/schnell", ours.upstream.url)
    assert.equal("a cat", ours.upstream.body.prompt)
    assert.truthy(#ours.live.missing > 0)
    assert.same({ "png", "1536x1024" }, { answer.json.output_format, answer.json.size })
    assert.is_nil(answer.json.data[1].revised_prompt)
    assert.is_nil(answer.json.usage)
    assert.truthy(math.abs(answer.json.created - os.time()) < 600)
  end)

  it("is the same picture for the same model, prompt, size and seed, and another for others", function()
    local again = first_of(generate())
    assert.is_true(first_of(generate()) == again)
    for _, changes in ipairs { { prompt = "a dog" }, { size = "1024x1536" }, { seed = 7 }, { model = "fal/fal-ai/flux/dev" } } do
      assert.is_true(again ~= first_of(generate(changes)))
    end
  end)

  it("has as many pictures as were asked for, none like the other", function()
    local answer = generate { n = 3 }
    assert.equal(3, #answer.json.data)
    assert.is_true(answer.json.data[1].b64_json ~= answer.json.data[2].b64_json)
    assert.truthy(picture.size(picture.decode(answer.json.data[3].b64_json)))
  end)

  it("has as many as the model's own word for it says", function()
    assert.equal(3, #generate({ num_images = 3 }).json.data)
    assert.equal(2, #generate({ parameters = { samples = 2 } }).json.data)
  end)

  it("keeps nothing of what looks like a credential in the client's own words", function()
    local key = "sk-proj-0123456789abcdefghijklmnopqrstuvwxyz"
    local url = generate({ user = key, response_format = "url" }).json.data[1].url
    generate({ user = "somebody" })
    local rows = registry.text(host)
    assert.truthy(rows:find('"user":"somebody"', 1, true))
    assert.falsy(rows:find(key, 1, true))
    assert.equal("1536x1024", picture.size(host:get(url:match "^http://[^/]+(.*)").body))
  end)

  it("has a size where none was asked for", function()
    local answer = host:post("/v1/images/generations", { model = "fal/flux", prompt = "a cat" })
    assert.equal(answer.json.size, picture.size(first_of(answer)))
  end)

  it("is in the format that was asked for, and no larger than a placeholder need be", function()
    for format, start in pairs { jpeg = "\255\216\255", webp = "RIFF", png = "\137PNG" } do
      local answer = generate { model = "stability/core", size = "1024x1024", output_format = format }
      local bytes = first_of(answer)
      assert.same({ format, start }, { answer.json.output_format, bytes:sub(1, #start) })
      assert.truthy(bytes:find("dry run", 1, true), format)
      local path = generate { model = "stability/core", size = "1024x1024", output_format = format, response_format = "url" }
        .json.data[1].url:match("^http://[^/]+(.*)$")
      local fetched = host:get(path)
      assert.equal("image/" .. format, fetched.headers["content-type"])
      assert.is_true(bytes == fetched.body)
    end
    local large = generate { size = "16384x8192" }
    assert.same({ "4096x2048", "4096x2048" }, { large.json.size, picture.size(first_of(large)) })
  end)

  it("gives URLs to who asks for them, which show the same picture", function()
    local answer = generate { response_format = "url", n = 2 }
    local by_text = generate { n = 2 }
    for i, item in ipairs(answer.json.data) do
      local path = item.url:match("^http://127%.0%.0%.1:" .. host.port .. "(/.*)$")
      assert.truthy(path, item.url)
      local fetched = host:get(path)
      assert.same({ 200, "image/png", "true" },
        { fetched.status, fetched.headers["content-type"], fetched.headers["x-providerd-dry-run"] })
      assert.is_true(picture.decode(by_text.json.data[i].b64_json) == fetched.body)
      assert.is_nil(item.b64_json)
    end
    local path = answer.json.data[1].url:match("^http://[^/]+(.*)/0$")
    assert.equal(404, host:get(path .. "/2").status)
    assert.equal(404, host:get(path .. "/00").status)
    assert.equal(404, host:get("/v1/images/placeholders/01a212da-b143-7000-ae30-310e60fc3ccb/0").status)
  end)

  it("shows the same picture of a prompt that its row has cut", function()
    local changes = { prompt = ("a very long cat, "):rep(600) }
    local bytes = first_of(generate(changes))
    changes.response_format = "url"
    local url = generate(changes).json.data[1].url
    assert.is_true(bytes == host:get(url:match("^http://[^/]+(.*)$")).body)
  end)

  it("is not given to who asked for live: nothing is sent, and nothing is registered", function()
    local before = host:get("/api/jobs/counts").body
    for _, ask in ipairs { { { dry_run = false } }, { {}, { ["X-Providerd-Dry-Run"] = "false" } } } do
      local answer = generate(ask[1], ask[2])
      assert.equal(403, answer.status, answer.body)
      assert.same({ "live_disabled", "dry_run" }, { answer.json.error.code, answer.json.error.param })
      assert.truthy(#answer.json.error.providerd.missing > 2)
    end
    assert.equal(403, host:post("/live/v1/images/generations", with()).status)
    assert.equal(before, host:get("/api/jobs/counts").body)
  end)

  it("is a stream of one completed event for each picture", function()
    local answer = generate { stream = true, partial_images = 1, n = 2 }
    assert.equal("text/event-stream", answer.headers["content-type"])
    assert.equal("true", answer.headers["x-providerd-dry-run"])
    local events = {}
    for name, data in answer.body:gmatch("event: ([^\n]+)\ndata: ([^\n]+)\n\n") do
      events[#events + 1] = { name = name, data = require("cjson").decode(data) }
    end
    assert.equal(2, #events)
    for _, event in ipairs(events) do
      assert.equal("image_generation.completed", event.name)
      assert.same({ event.name, "1536x1024", "png", "auto", "auto" },
        { event.data.type, event.data.size, event.data.output_format, event.data.quality, event.data.background })
      assert.equal("1536x1024", picture.size(picture.decode(event.data.b64_json)))
      assert.is_true(event.data.providerd.dry_run)
      assert.equal(0, event.data.usage.total_tokens)
    end
  end)

  it("with an Idempotency-Key is the same job when it is asked for again, and 409 with another body", function()
    local headers = { ["Idempotency-Key"] = "order-4711" }
    local first, again = generate(nil, headers), generate(nil, headers)
    assert.equal(first.json.providerd.job_id, again.json.providerd.job_id)
    assert.equal("true", again.headers["idempotent-replayed"])
    assert.is_true(first_of(first) == first_of(again))
    local other = generate({ prompt = "a dog" }, headers)
    assert.same({ 409, "false" }, { other.status, other.headers["x-should-retry"] })
  end)

  it("on a connection that stays open is followed by the next one", function()
    local connection = host:connect()
    for _ = 1, 3 do
      local answer = connection:request("POST", "/v1/images/generations", with())
      assert.equal(#answer.body, tonumber(answer.headers["content-length"]))
      assert.equal("1536x1024", picture.size(first_of(answer)))
    end
    connection:close()
  end)
end)

describe("a dry run of images where the operator wants none", function()
  it("is 403, and registers nothing", function()
    local host = hosts.start { config = { openai = { dry_run = "error" } } }
    local answer = host:post("/v1/images/generations", with())
    assert.same({ 403, "dry_run" }, { answer.status, answer.json.error.code })
    assert.equal(403, host:post("/v1/images/generations", with { stream = true }).status)
    assert.same({}, host:get("/api/jobs/list").json.tasks)
    host:remove()
  end)
end)

describe("a placeholder's URL where API keys are set", function()
  it("is signed for that picture alone, by GET, for an hour", function()
    local host = hosts.start { config = { server = { api_keys = { keys.entry("maker"),
      keys.entry("own", { sees = "own" }), keys.entry("writer", { may = { "submit" } }) } } } }
    for _, name in ipairs { "maker", "own", "writer" } do
      local answer = host:post("/v1/images/generations", with { response_format = "url" }, keys.headers(name))
      local path = answer.json.data[1].url:match("^http://[^/]+(.*)$")
      assert.equal(200, host:get(path).status, name)
      assert.equal(200, host:request("HEAD", path).status)
      assert.equal(401, host:get(path:match("^[^?]*")).status)
      local expires = tonumber(path:match("expires=(%d+)"))
      assert.truthy(math.abs(expires - os.time() - 3600) < 60)
      assert.equal(401, host:get((path:gsub("expires=%d+", "expires=" .. expires + 1))).status)
      assert.equal(401, host:get((path:gsub("/0%?", "/1?"))).status)
      assert.equal(401, host:get((path:gsub("signature=%x", function(text)
        return "signature=" .. (text:sub(-1) == "0" and "1" or "0")
      end))).status)
      assert.equal(401, host:request("POST", path, "{}").status)
      assert.equal(401, host:get("/api/jobs/list?" .. path:match("%?(.*)$")).status)
    end
    host:remove()
  end)

  it("is 401 when its hour is over", function()
    local clock = clocks.new()
    if not clock then return pending "the clock of a host under a sanitizer cannot be moved" end
    local host = hosts.start { config = { server = { api_keys = { keys.entry "maker" } } }, env = clock.env }
    local answer = host:post("/v1/images/generations", with { response_format = "url" }, keys.headers "maker")
    local path = answer.json.data[1].url:match("^http://[^/]+(.*)$")
    clock:wall(3540)
    assert.equal(200, host:get(path).status)
    clock:wall(3601)
    host:eventually(function() return host:get(path).status == 401 end)
    host:remove()
    clock:remove()
  end)
end)
