-- A provider that serves several kinds (`kinds`): found under each of them, gated by the flag of each, listed in each catalogue
-- after those whose only kind it is, and registered as what it was asked for.
local exact = require "spec.support.exact_json"
local hosts = require "spec.support.host"
local providers = require "spec.support.providers"
local two_kinds = require "spec.support.two_kinds"

local CONFIG = "config/comfyvn.json"
local FLAGS = { "enable_public_gpu", "enable_public_image_providers", "enable_public_video_providers", two_kinds.UMBRELLA }
local SECRETS = { two = { key = "a-key-of-two" }, odd = { key = "a-key-of-odd" }, all = { key = "a-key-of-all" } }

local SCRIPTS = {
  -- by file it would stand before the film-maker
  ["providers/image_two.lua"] = two_kinds.script("two"),
  ["providers/video_film.lua"] = two_kinds.script("film", { kind = "'video'", kinds = false, modes = false }),
  -- its own kind has a flag that is not the usual one
  ["providers/image_odd.lua"] = two_kinds.script("odd", { feature_flag = "'enable_public_gpu'" }),
  ["providers/gpu_all.lua"] = two_kinds.script("all", {
    kind = "'gpu'", kinds = "{ 'gpu', 'video', 'image' }", modes = "{ { id = 'clip', kind = 'video' } }",
  }),
}

local host

setup(function() host = hosts.start { files = SCRIPTS, secrets = SECRETS } end)
teardown(function() host:remove() end)

local function post(kind, id, verb, body)
  local answer = host:post(two_kinds.path(kind, id, verb), body or { prompt = "a cat" })
  assert.equal(200, answer.status, answer.body)
  return exact.decode(answer.body)
end

local function catalogue(kind)
  return exact.decode(host:get(two_kinds.FOLDERS[kind] .. "/catalog").body)
end

local function entry(kind, id)
  for _, one in ipairs(catalogue(kind).providers) do
    if one.id == id then return one end
  end
end

local function ids(list)
  local found = {}
  for i, one in ipairs(list) do found[i] = one.id end
  return found
end

describe("a provider of several kinds", function()
  it("stands in the catalogue of each, after those whose own kind it is", function()
    assert.same({ "odd", "two", "all" }, ids(catalogue("image").providers))
    assert.same({ "film", "all", "odd", "two" }, ids(catalogue("video").providers))
    assert.same({ "all" }, ids(catalogue("gpu").providers))
    for _, kind in ipairs { "image", "video" } do
      local found = entry(kind, "two")
      assert.equal(kind, found.kind)
      assert.equal(two_kinds.FLAGS[kind], found.feature.feature)
      assert.same({ "image", "video" }, found.kinds)
      assert.equal("providers/image_two.lua", found.script.file)
    end
    assert.same({ "video" }, entry("video", "film").kinds)
  end)

  it("shows the modes of that kind there; one that names none is of its own", function()
    assert.same({ "picture", "poster" }, ids(entry("image", "two").modes))
    assert.same({ "film", "clip" }, ids(entry("video", "two").modes))
    assert.same({}, entry("gpu", "all").modes)
    assert.equal("[]", exact.encode(entry("image", "all").modes))
    assert.same({ "clip" }, ids(entry("video", "all").modes))
  end)

  it("is told which kind was asked for, in each of its functions", function()
    for _, kind in ipairs { "image", "video" } do
      local answer = post(kind, "two", "submit")
      assert.equal(kind, answer.kind)
      assert.equal(kind, answer.payload.kind)
      assert.equal(kind, answer.estimates.unit)
      assert.equal("https://vendor.example/v1/" .. kind, answer.upstream.url)
      assert.equal(kind, post(kind, "two", "health").upstream.url:match("[^/]*$"))
      assert.equal("https://vendor.example/v1/" .. kind .. "/mock-two-1", post(kind, "two", "poll", {}).upstream.url)
      local generated = exact.decode(host:post("/api/providers/" .. kind .. "/generate",
        { provider = "two", prompt = "a cat" }).body)
      assert.equal(kind, generated.kind)
      assert.equal(kind, generated.payload.kind)
    end
  end)

  it("gets the job under gpu and the whole body elsewhere, and errors are named so", function()
    local answer = host:post(two_kinds.path("gpu", "all", "submit"), { job = { prompt = "a cat" } })
    assert.same({ prompt = "a cat", kind = "gpu" }, answer.json.job)
    assert.is_nil(answer.json.payload)
    assert.same({ prompt = "a cat", kind = "video" }, post("video", "all", "submit").payload)
    assert.equal("job", host:post(two_kinds.path("gpu", "all", "submit"), { job = 5 }).json.errors[1].path)
  end)

  it("is not there under a kind that it does not serve", function()
    for _, verb in ipairs { "health", "submit", "poll" } do
      assert.equal(404, host:post(two_kinds.path("gpu", "two", verb), {}).status)
    end
    assert.equal(404, host:post("/api/providers/image/generate", { provider = "film", prompt = "a cat" }).status)
  end)

  it("has its jobs registered as what was asked for", function()
    local seen = {}
    for _, kind in ipairs { "image", "video", "image" } do
      local job_id = post(kind, "two", "submit").job_id
      local task = host:get("/api/jobs/status/" .. job_id).json
      assert.equal("public." .. kind .. ".submit", task.kind)
      assert.equal("two", task.provider)
      seen[job_id] = kind
      local events = host:get("/api/events/history?limit=500&job=" .. job_id).json.events
      assert.equal("public." .. kind .. ".submit", events[1].type)
      host:eventually(function()
        return host:log():find(("event=public%%.%s%%.submit [^\n]*job_id=%s"):format(kind, job_id:gsub("%-", "%%-")))
      end)
    end
    for _, kind in ipairs { "gpu", "image", "video" } do
      for _, task in ipairs(host:get("/api/jobs/list?provider=two&limit=500&kind=" .. kind).json.tasks) do
        assert.equal(seen[task.job_id] or kind, kind)
        assert.equal("public." .. kind .. ".submit", task.kind)
        seen[task.job_id] = nil
      end
    end
    assert.is_nil(next(seen))
  end)

  it("has a job under each kind for one Idempotency-Key", function()
    local found = {}
    for i, kind in ipairs { "image", "video", "image", "video" } do
      local answer = host:post(two_kinds.path(kind, "two", "submit"), { prompt = "a cat" }, { ["Idempotency-Key"] = "k1" })
      assert.equal(200, answer.status, answer.body)
      assert.equal(kind, answer.json.kind)
      found[i] = answer.json.job_id
    end
    assert.equal(found[1], found[3])
    assert.equal(found[2], found[4])
    assert.not_equal(found[1], found[2])
  end)

  it("tells of a job as what it is, under whichever kind it is asked", function()
    local job_id = post("video", "two", "submit").job_id
    for _, kind in ipairs { "video", "image" } do
      local answer = post(kind, "two", "poll", { job_id = job_id })
      assert.equal(job_id, answer.job_id)
      assert.equal("video", answer.kind)
      assert.equal(two_kinds.FLAGS.video, answer.feature.feature)
      assert.equal("https://vendor.example/v1/video/mock-two-1", answer.upstream.url)
    end
    host:eventually(function()
      return select(2, host:log():gsub("event=public%.video%.poll [^\n]*job_id=" .. job_id:gsub("%-", "%%-"), "")) == 2
    end)
  end)

  it("keeps its names for itself under every kind", function()
    host:write("providers/video_thief.lua", two_kinds.script("thief", {
      aliases = "{ 'two' }", kind = "'video'", kinds = false, modes = false,
    }))
    host:eventually(function()
      local found = catalogue("gpu").script_errors[1]
      return found and found:find("the name 'two' is taken by providers/image_two.lua", 1, true)
    end)
    assert.equal("two", post("video", "two", "health").provider)
    host:delete("providers/video_thief.lua")
    host:eventually(function() return #catalogue("gpu").script_errors == 0 end)
  end)
end)

describe("the flag of each kind", function()
  -- What a provider's answer under a kind says of its gate, and must.
  local function check_gate(answer, open, flag)
    assert.equal(flag, answer.feature.feature)
    assert.equal(open, answer.feature.enabled)
    assert.equal(open, answer.execution_allowed)
    assert.equal(open, answer.ok)
    assert.equal(open, answer.reason == exact.null)
    local missing = table.concat(answer.live.missing, "\n")
    assert.equal(not open, missing:find("feature flag " .. flag .. " is off", 1, true) ~= nil)
  end

  for bits = 0, 15 do
    local features, names = {}, {}
    for i, flag in ipairs(FLAGS) do
      features[flag] = bits & (1 << (i - 1)) ~= 0
      if features[flag] then names[#names + 1] = flag end
    end

    it("gates its own, with " .. (#names > 0 and table.concat(names, ", ") or "none"), function()
      host:write(CONFIG, exact.encode { features = features, server = { threads = 16 } })
      host:eventually(function()
        for kind in pairs(two_kinds.FOLDERS) do
          assert.equal(two_kinds.is_open(features, kind), catalogue(kind).feature.enabled)
        end
        return true
      end)
      for _, case in ipairs {
        { "two", "image", "image" }, { "two", "video", "video" }, { "all", "gpu", "gpu" }, { "all", "image", "image" },
        { "all", "video", "video" }, { "odd", "image", "gpu" }, { "odd", "video", "video" },
      } do
        local id, kind, flag = case[1], case[2], case[3]
        local open = two_kinds.is_open(features, flag)
        for _, verb in ipairs { "health", "submit", "poll" } do
          check_gate(post(kind, id, verb, {}), open, two_kinds.FLAGS[flag])
        end
        check_gate(entry(kind, id), open, two_kinds.FLAGS[flag])
      end
    end)
  end
end)

describe("a script that is saved", function()
  it("serves a further kind at once, and no longer when it does not say so", function()
    local function serves_video() return host:post(two_kinds.path("video", "two", "health"), {}).status == 200 end
    host:write("providers/image_two.lua", two_kinds.script("two", { kinds = false, modes = false }))
    host:eventually(function() return not serves_video() end)
    assert.is_nil(entry("video", "two"))
    assert.same({ "image" }, entry("image", "two").kinds)
    host:write("providers/image_two.lua", two_kinds.script("two"))
    host:eventually(serves_video)
    assert.truthy(entry("video", "two"))
  end)
end)

describe("the providers that ship", function()
  local shipped

  setup(function() shipped = hosts.start {} end)
  teardown(function() shipped:remove() end)

  for _, provider in ipairs(providers) do
    for _, kind in ipairs(provider.kinds) do
      it(provider.id .. " serves " .. kind .. ", registered as such", function()
        local as = providers.as(provider, kind)
        for _, name in ipairs { provider.id, provider.aliases[1] } do
          local answer = shipped:post(providers.path(as, "submit", name), providers.body(as))
          assert.equal(200, answer.status, answer.body)
          assert.equal(kind, answer.json.kind)
          assert.equal(as.flag, answer.json.feature.feature)
          assert.equal("mock-" .. provider.id .. "-1", answer.json.id)
          local task = shipped:get("/api/jobs/status/" .. answer.json.job_id).json
          assert.equal("public." .. kind .. ".submit", task.kind)
          assert.equal(provider.id, task.provider)
        end
      end)
    end
  end
end)
