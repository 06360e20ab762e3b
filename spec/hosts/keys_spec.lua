-- Equal requests with one Idempotency-Key at two hosts at the same time: one job, and both get its answer.
local exact = require "spec.support.exact_json"
local http = require "spec.support.http"
local live = require "spec.support.live"
local postgres = require "spec.support.postgres"
local shell = require "spec.support.shell"
local start = require("spec.support.hosts").start

local ROUNDS, CLIENTS = 12, 8

postgres.describe("equal requests at two hosts at the same time", function()
  local hosts, outputs
  before_each(function()
    outputs = shell.output("mktemp -d"):match("%S+")
    hosts = start { count = 2, hurry = 10, config = function(config) config.artifacts = { dir = outputs } end }
  end)
  after_each(function()
    hosts:remove()
    shell.run("rm -rf " .. shell.quote(outputs))
  end)

  -- The answers of clients that ask both hosts in turn, all sent before one is read.
  local function at_once(path, body, key)
    local clients, answers = {}, {}
    for i = 1, CLIENTS do clients[i] = http.connect(hosts[i % 2 + 1].host.port) end
    for _, client in ipairs(clients) do client:send("POST", path, exact.encode(body), { ["Idempotency-Key"] = key }) end
    for i, client in ipairs(clients) do
      answers[i] = client:receive()
      client:close()
    end
    return answers
  end

  local function all_the_same(answers, status)
    local replayed = 0
    for _, answer in ipairs(answers) do
      assert.equal(status, answer.status, answer.body)
      assert.equal(answers[1].body, answer.body)
      if answer.headers["idempotent-replayed"] then replayed = replayed + 1 end
    end
    assert.equal(CLIENTS - 1, replayed)
  end

  it("are one dry run", function()
    for round = 1, ROUNDS do
      all_the_same(at_once("/api/providers/image/fal/submit", { prompt = "a lighthouse" }, "dry-" .. round), 200)
    end
    assert.equal(ROUNDS .. "\n", hosts:sql "SELECT count(*) FROM task")
    assert.equal(ROUNDS .. "\n", hosts:sql "SELECT count(*) FROM event WHERE verb = 'submit'")
  end)

  it("are one live job, paid once", function()
    for round = 1, ROUNDS do
      all_the_same(at_once("/api/providers/image/fal/submit", live.body("fal"), "live-" .. round), 202)
    end
    for job in hosts:sql("SELECT encode(id, 'hex') FROM task"):gmatch("%x+") do
      local id = job:gsub("^(%x%x%x%x%x%x%x%x)(%x%x%x%x)(%x%x%x%x)(%x%x%x%x)(%x+)$", "%1-%2-%3-%4-%5")
      assert.equal("done", hosts[1]:ended(id).status)
    end
    assert.equal(ROUNDS, hosts[1]:paid())
    assert.equal(ROUNDS .. "\n", hosts:sql "SELECT count(*) FROM ledger")
  end)

  it("with another body are refused at whichever comes second", function()
    local first = hosts[1].host:post("/api/providers/image/fal/submit", { prompt = "a" }, { ["Idempotency-Key"] = "k" })
    assert.equal(200, first.status)
    local second = hosts[2].host:post("/api/providers/image/fal/submit", { prompt = "b" }, { ["Idempotency-Key"] = "k" })
    assert.equal(409, second.status)
  end)

  it("by the OpenAI door wait at both hosts for the one job's picture", function()
    local body = { model = "fal/flux", prompt = "a lighthouse", dry_run = false, max_cost_usd = 0.1 }
    for round = 1, 3 do
      local answers = at_once("/v1/images/generations", body, "picture-" .. round)
      for _, answer in ipairs(answers) do
        assert.equal(200, answer.status, answer.body)
        assert.equal(answers[1].json.providerd.job_id, answer.json.providerd.job_id)
      end
    end
    assert.equal(3, hosts[1]:paid())
  end)
end)
