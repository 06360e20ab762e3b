-- A kept output as an input: providerd://jobs/ID/artifacts/N in a request stands for the file's bytes.
local support = require "spec.support.live"

local keys = require "spec.support.keys"

describe("an output as an input", function()
  local live, job_id, uri

  setup(function()
    live = support.start { hurry = 10, config = function(config) config.server.max_body_bytes = 1024 * 1024 end }
    job_id = live:job("stability")
    assert.equal("done", live:ended(job_id).status)
    uri = "providerd://jobs/" .. job_id .. "/artifacts/0"
  end)
  teardown(function() live:remove() end)

  local function preview(id, changes)
    local body = support.body(id, changes)
    body.dry_run = nil
    return live.host:post(live:path(id, "preview"), body)
  end

  local function with(image) return { parameters = { duration = 2, image = image } } end

  it("is the request that the file itself makes, byte for byte", function()
    local artifact = live:status(job_id).artifacts[1]
    local file = live.host:get(artifact.url).body
    local data = "data:" .. artifact.content_type .. ";base64," .. require("mime").b64(file)
    local named, given = preview("runway", with(uri)), preview("runway", with(data))
    assert.equal(200, named.status, named.body)
    assert.equal(64, #named.json.upstream_sha256)
    assert.equal(given.json.upstream_sha256, named.json.upstream_sha256)
  end)

  it("may be named by its URL at this host, which no vendor could fetch", function()
    local url = ("http://127.0.0.1:%d/api/jobs/%s/artifacts/0"):format(live.host.port, job_id)
    local named = preview("runway", with(uri)).json.upstream_sha256
    for _, text in ipairs { url, url .. "?expires=1&signature=2" } do
      assert.equal(named, preview("runway", with(text)).json.upstream_sha256)
    end
    for _, text in ipairs { url .. "/x", (url:gsub("127", "128")), (url:gsub("/api/jobs", "/api/jobs/status")) } do
      assert.not_equal(named, preview("runway", with(text)).json.upstream_sha256)
    end
    assert.equal(400, preview("runway", with((url:gsub("0$", "9")))).status)
  end)

  it("reaches the vendor of a live job, also in a form and in a GPU job", function()
    for id, changes in pairs {
      runway = with(uri), stability = { mode = "image-to-image", parameters = { image = uri, strength = 0.5 } },
      replicate = { job = { model = "black-forest-labs/flux-dev", input = { prompt = "a lighthouse", image = uri } } },
    } do
      local id_of_job = live:job(id, changes)
      assert.equal("done", live:ended(id_of_job).status, id)
      assert.is_nil(live.host:get("/api/jobs/status/" .. id_of_job).body:find("providerd://jobs", 1, true), id)
    end
  end)

  it("that is none is named, with its field", function()
    local dry = live.host:post(live:path("fal", "submit"), { prompt = "a cat" }).json.job_id
    for value, said in pairs {
      ["providerd://jobs/" .. job_id .. "/artifacts/7"] = "1 artifact, numbered from 0",
      ["providerd://jobs/" .. job_id .. "/artifacts/00"] = "must be providerd://jobs/JOB_ID/artifacts/N",
      ["providerd://jobs/" .. job_id .. "/artifacts/0/x"] = "must be providerd://jobs/JOB_ID/artifacts/N",
      ["providerd://etc/passwd"] = "must be providerd://jobs/JOB_ID/artifacts/N",
      ["providerd://jobs/01a21300-0000-7000-8000-000000000002/artifacts/0"] = "no such job",
      ["providerd://jobs/" .. dry .. "/artifacts/0"] = "dry run",
    } do
      for id, path in pairs { runway = "parameters.image", replicate = "job.input.images[1]" } do
        local images = { "https://a.example/b.png", value }
        local answer = preview(id, id == "runway" and with(value) or
          { job = { model = "black-forest-labs/flux-dev", input = { prompt = "x", images = images } } })
        assert.equal(400, answer.status, answer.body)
        assert.equal(path, answer.json.errors[1].path)
        assert.is_truthy(answer.json.detail:find(said, 1, true), answer.json.detail)
      end
    end
  end)

  it("counts with the body against server.max_body_bytes", function()
    local bytes, many = live:status(job_id).artifacts[1].bytes, {}
    for n = 1, math.ceil(1024 * 1024 / (bytes * 4 / 3)) do many[n] = uri end
    local answer = preview("replicate",
      { job = { model = "black-forest-labs/flux-dev", input = { prompt = "x", images = many } } })
    assert.equal(400, answer.status, answer.body)
    assert.is_truthy(answer.json.detail:find("server.max_body_bytes", 1, true), answer.json.detail)
    assert.is_truthy(answer.json.errors[1].path:match "^job%.input%.images%[%d+%]$", answer.json.errors[1].path)
  end)
end)

describe("an output of another key's job", function()
  local live

  setup(function()
    live = support.start { hurry = 10, config = function(config)
      config.server.api_keys = {
        keys.entry("ann", { may = { "read", "submit", "live" }, sees = "own" }),
        keys.entry("ben", { may = { "read", "submit", "live" }, sees = "own" }),
        keys.entry("all", { may = { "read", "submit", "live" } }),
      }
    end }
  end)
  teardown(function() live:remove() end)

  it("is none for a key that sees its own jobs", function()
    local job_id = live:job("stability", nil, keys.headers("ann"))
    live.host:eventually(function()
      return live.host:get("/api/jobs/status/" .. job_id, keys.headers("ann")).json.status == "done"
    end)
    local image = "providerd://jobs/" .. job_id .. "/artifacts/0"
    local body = support.body("runway", { parameters = { duration = 2, image = image } })
    local function ask(name) return live.host:post(live:path("runway", "preview"), body, keys.headers(name)) end
    assert.same({ 200, 400, 200 }, { ask("ann").status, ask("ben").status, ask("all").status })
    assert.is_truthy(ask("ben").json.detail:find("no such job", 1, true))
  end)
end)
