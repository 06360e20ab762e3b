-- A registry on PostgreSQL: which databases are refused, with what words, and what nobody is shown; two hosts that write at the
-- same time; and what a failure of one row, of a connection, or of a holder of the lock does to all others.
local cjson = require "cjson"
local host = require "spec.support.host"
local postgres = require "spec.support.postgres"
local providers = require "spec.support.providers"
local shell = require "spec.support.shell"
local swarm_module = require "spec.support.swarm"

local PASSWORD = "planted-password"

local function with_url(url)
  return { registry = { url = url }, server = { threads = 64 } }
end

local function submit(served, id)
  return served:post(providers.path(providers[id], "submit"), { prompt = "a lighthouse" })
end

-- Runs a host on this URL, which it refuses: what it says.
local function refusal(url)
  local folder = shell.output("mktemp -d"):match("%S+")
  shell.run("mkdir " .. folder .. "/config")
  local file = assert(io.open(folder .. "/config/comfyvn.json", "w"))
  file:write(cjson.encode(with_url(url))):close()
  local code, _, err = host.run({ "serve", "--home", folder, "--listen", "127.0.0.1:0" }, { seconds = 60 })
  shell.run("rm -rf " .. folder)
  assert.equal(1, code, err)
  assert.is_nil(err:find(PASSWORD, 1, true), err)
  return err
end

postgres.describe("a registry on PostgreSQL", function()
  local database
  before_each(function() database = postgres.database() end)
  after_each(function() database:remove() end)

  describe("is refused", function()
    local function of(change)
      return (database.url:gsub("^(postgresql://)(/[^?]*)(.*)$", change))
    end

    it("when there is no such database", function()
      assert.truthy(refusal(of("%1%2_missing%3")):find("there is no such database: make it with createdb", 1, true))
    end)

    it("when there is no such user", function()
      assert.truthy(refusal(database.url:gsub("user=postgres", "user=nobody_knows")):find("there is no such user", 1, true))
    end)

    it("when another program has its tables there, which stay as they are", function()
      database:sql "CREATE TABLE invoice (number bigint)"
      assert.truthy(refusal(database.url):find("tables of another program", 1, true))
      assert.equal("invoice\n", database:sql "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace")
    end)

    it("when a newer program has written it", function()
      host.start({ config = with_url(database.url) }):remove()
      database:sql "UPDATE registry SET version = 1000, oldest = 1000"
      assert.truthy(refusal(database.url):find("schema version 1000, this program knows versions up to", 1, true))
      assert.equal("1000\n", database:sql "SELECT version FROM registry")
    end)

    it("not when a newer program has only added to it", function()
      host.start({ config = with_url(database.url) }):remove()
      database:sql [[UPDATE registry SET version = 1000; CREATE TABLE newer (n bigint); ALTER TABLE event ADD COLUMN newer text;
        ALTER TABLE task ADD COLUMN newer text; ALTER TABLE idempotency ADD COLUMN newer bigint DEFAULT 7]]
      local one = host.start { config = with_url(database.url) }
      local job = one:post("/api/providers/image/fal/submit", { prompt = "x" }, { ["Idempotency-Key"] = "a" }).json.job_id
      assert.equal(200, one:get("/api/jobs/status/" .. job).status)
      assert.equal(1, #one:get("/api/events/history?type=public.image.submit").json.events)
      one:remove()
      assert.equal("1000\n", database:sql "SELECT version FROM registry")
    end)

    it("of a host that runs, when a newer program takes it over", function()
      local config = with_url(database.url)
      config.registry.lease_seconds = 3
      local one = host.start { config = config }
      database:sql "UPDATE registry SET version = 1000, oldest = 1000; UPDATE host SET dead_ms = 1"
      one:eventually(function() return one:post("/api/providers/image/fal/submit", { prompt = "x" }).status == 503 end)
      one:eventually(function() return one:get("/readyz").status == 503 end)
      one:eventually(function() return one:log():find("one that knows 1000 is needed", 1, true) end)
      local count = database:sql "SELECT count(*) FROM task"
      one:post("/api/providers/image/fal/submit", { prompt = "y" })
      assert.equal(count, database:sql "SELECT count(*) FROM task")
      one:remove()
    end)

    it("when its encoding would not hold all texts", function()
      local name = database.name .. "_ascii"
      postgres.shared():sql(("CREATE DATABASE %s ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0"
        ):format(name))
      local said = refusal(of("%1%2_ascii%3"))
      postgres.shared():sql("DROP DATABASE " .. name)
      assert.truthy(said:find("encoding is SQL_ASCII", 1, true), said)
    end)

    it("when the user may make no tables there", function()
      database:sql "REVOKE CREATE ON SCHEMA public FROM PUBLIC; CREATE ROLE spec_guest LOGIN"
      local said = refusal(database.url:gsub("user=postgres", "user=spec_guest"))
      database:sql "DROP ROLE spec_guest"
      assert.truthy(said:find("the user lacks a right", 1, true), said)
    end)

    it("when the text is no URL, without saying what was in it", function()
      local said = refusal("postgresql://host:" .. PASSWORD .. "@[half/one")
      assert.truthy(said:find("registry.url: expected \"postgresql://", 1, true), said)
    end)

    it("when a bare @ or / of the password makes it another URL, without saying what was in it", function()
      for _, bare in ipairs { "x@" .. PASSWORD, "x/" .. PASSWORD, "x/y?" .. PASSWORD .. "=1" } do
        local said = refusal("postgresql://host:" .. bare .. "@127.0.0.1:1/registry")
        assert.truthy(said:find("@ as %40, / as %2F", 1, true), said)
        assert.is_nil(said:find(PASSWORD, 1, true), said)
      end
      assert.is_nil(refusal("postgresql://host:" .. PASSWORD):find(PASSWORD, 1, true))
      assert.is_nil(refusal("postgresql:///?dbname=postgresql://host:" .. PASSWORD .. "@h/x"):find(PASSWORD, 1, true))
    end)

    it("when a parameter of its URL is none, which is named", function()
      local said = refusal(database.url .. "&password=" .. PASSWORD .. "&sslmod=require")
      assert.truthy(said:find('invalid URI query parameter: "sslmod"', 1, true), said)
    end)
  end)

  it("shows nobody the password of its URL", function()
    local url = database.url:gsub("^postgresql:///", "postgresql://postgres:" .. PASSWORD .. "@/") .. "&password=" .. PASSWORD
    local served = host.start { config = with_url(url) }
    local shown = served:get("/api/host").json.config.registry.url
    local said = served:output() .. served:log() .. served:get("/api/host").body .. served:get("/metrics").body
    served:remove()
    assert.truthy(shown:find("postgresql://postgres:***@/" .. database.name, 1, true), shown)
    assert.truthy(shown:find("&password=***", 1, true), shown)
    assert.is_nil(said:find(PASSWORD, 1, true))
  end)

  describe("of two hosts", function()
    local one, two
    before_each(function()
      one = host.start { config = with_url(database.url) }
      two = host.start { config = with_url(database.url) }
    end)
    after_each(function()
      two:remove()
      one:remove()
    end)

    local function number(statement)
      return tonumber(database:sql(statement):match("%-?%d+"))
    end

    local function jobs_of(served, id)
      return served:get("/api/jobs/list?provider=" .. id).json.tasks
    end

    it("gives each pair of kind and provider one number, whoever meets it first, and each host reads all", function()
      local swarm = swarm_module.new()
      for _, id in ipairs { "fal", "stability", "runway", "pika", "luma", "runpod", "replicate", "modal" } do
        for _, served in ipairs { one, two } do
          swarm:add(function()
            local answer = swarm.ask(served.port, "POST", providers.path(providers[id], "submit"), '{"prompt":"a lighthouse"}')
            assert.equal(200, answer.status, answer.body)
          end)
        end
      end
      while swarm:is_busy() do swarm:step() end
      assert.equal("8|8|1|8\n",
        database:sql "SELECT count(*), count(DISTINCT (kind, provider)), min(number), max(number) FROM source")
      for _, served in ipairs { one, two } do
        assert.equal(16, #served:get("/api/jobs/list?limit=100").json.tasks)
        assert.equal(2, #jobs_of(served, "luma"))
      end
    end)

    it("lists at one what the other submitted to a provider that nobody had met before", function()
      local id = one:post("/api/providers/image/fal/submit", { prompt = "x" }).json.job_id
      assert.equal(id, two:get("/api/jobs/list").json.tasks[1].job_id)
    end)

    it("numbers events without gaps, and makes one job of a key that many ask for at once", function()
      local swarm, ids = swarm_module.new(), {}
      local path, body = providers.path(providers.fal, "submit"), '{"prompt":"a lighthouse"}'
      for client = 1, 32 do
        swarm:add(function()
          local served = client % 2 == 0 and one or two
          for turn = 1, 8 do
            local shared = turn % 4 == 0 -- by all clients of both hosts
            local key = shared and "key-" .. turn or ("key-%d-%d"):format(client, turn)
            local answer = swarm.ask(served.port, "POST", path, body, { ["Idempotency-Key"] = key })
            assert.equal(200, answer.status, answer.body)
            ids[answer.json.job_id] = true
          end
        end)
      end
      while swarm:is_busy() do swarm:step() end
      local jobs = 0
      for _ in pairs(ids) do jobs = jobs + 1 end
      assert.equal(32 * 6 + 2, jobs)
      assert.equal(jobs, number "SELECT count(*) FROM task")
      assert.equal(jobs, number "SELECT count(*) FROM event WHERE verb = 'submit'")
      assert.equal(0, number "SELECT max(number) - min(number) + 1 - count(*) FROM event")
    end)

    it("goes on when all connections are ended, and when one that holds the lock does nothing", function()
      assert.equal(200, submit(one, "fal").status)
      database:sql [[SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()]]
      one:eventually(function() return submit(one, "fal").status == 200 and #jobs_of(one, "fal") > 0 end)
      two:eventually(function() return submit(two, "fal").status == 200 and #jobs_of(two, "fal") > 0 end)
      local holder = postgres.client(database.url)
      holder:write "BEGIN; SELECT pg_advisory_xact_lock('public'::regnamespace::oid::int, 1);\n"
      holder:flush()
      one:eventually(function() return number "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 1" > 0 end)
      one:eventually(function() return submit(one, "fal").status == 200 end)
      assert.equal(200, submit(two, "fal").status)
      holder:close()
    end)

    it("mends texts that are not UTF-8, and loses no job that comes with one", function()
      local answer = one:post(providers.path(providers.fal, "submit"), { prompt = "a lighthouse" },
        { ["Idempotency-Key"] = "odd \xff\xfe key" })
      assert.equal(200, answer.status, answer.body)
      assert.equal(1, number "SELECT count(*) FROM idempotency WHERE key LIKE '%odd \u{FFFD}\u{FFFD} key'")
    end)
  end)
end)
