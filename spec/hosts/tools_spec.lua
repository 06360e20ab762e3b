-- What the specs of several hosts stand on: a PostgreSQL that can be crashed, and a proxy that can fail.
local postgres = require "spec.support.postgres"
local proxy = require "spec.support.proxy"
local shell = require "spec.support.shell"

postgres.describe("the suite's PostgreSQL", function()
  local cluster

  lazy_setup(function() cluster = postgres.cluster { settings = { statement_timeout = "'5s'" } } end)
  lazy_teardown(function() cluster:remove() end)

  local function fails(url, statement)
    local ok, problem = pcall(postgres.sql, url, statement)
    assert.is_false(ok)
    return problem
  end

  it("listens on its socket only, and keeps what was committed over a crash", function()
    local database = cluster:database()
    assert.equal("\n", database:sql "SHOW listen_addresses")
    assert.equal("1|a\n", database:sql "CREATE TABLE t AS SELECT 1 AS n, 'a' AS x; SELECT * FROM t")
    cluster:crash()
    assert.matches("No such file or directory", fails(database.url, "SELECT 1"))
    cluster:start()
    assert.equal("1|a\n", database:sql "SELECT * FROM t")
    assert.equal("1|a\n", cluster:database(database.name):sql "SELECT * FROM t")
    database:remove()
    assert.matches("does not exist", fails(database.url, "SELECT 1"))
  end)

  it("orders text as a language does", function()
    assert.equal("a\nB\n", cluster:sql "SELECT x FROM (VALUES ('B'), ('a')) AS t(x) ORDER BY x")
  end)

  it("is reached by way of a proxy that refuses, cuts and is silent", function()
    local between, database = proxy.start { cluster:socket() }, cluster:database()
    local url = between:url(database)
    assert.equal("1\n", postgres.sql(url, "SELECT 1"))
    between:refuse()
    assert.matches("closed the connection", fails(url, "SELECT 1"))
    between:mute()
    local late = "timeout 1 psql -X -d %s -c %s"
    assert.is_false(pcall(shell.output, late:format(shell.quote(url), "'SELECT 1'")))
    between:pass()
    local slow = io.popen(("psql -X -d %s -c 'SELECT pg_sleep(4)' 2>&1"):format(shell.quote(url)))
    between.process:eventually(function() return between:connections() > 0 end)
    between:cut()
    assert.matches("closed the connection", slow:read("a"))
    slow:close()
    assert.equal("1\n", postgres.sql(url, "SELECT 1"))
    between:remove()
    database:remove()
  end)

  it("is gone with who asked for it, however that ends", function()
    local script = [[
      local cluster = require("spec.support.postgres").cluster()
      print(cluster.folder, io.open("/proc/self/stat"):read("a"):match("%d+"))
      io.stdout:flush()
      while true do require("socket").sleep(1) end
    ]]
    local owner = io.popen("lua5.4 -e " .. shell.quote("package.path = './?.lua;' .. package.path " .. script))
    local folder, pid = owner:read("l"):match("^(%S+)%s+(%d+)$")
    local server = assert(shell.read(folder .. "/data/postmaster.pid")):match("^(%d+)")
    shell.run("kill -KILL " .. pid)
    owner:close()
    for _ = 1, 200 do
      if not shell.read("/proc/" .. server .. "/stat") and not shell.read(folder .. "/log") then break end
      require("socket").sleep(0.05)
    end
    assert.is_nil(shell.read("/proc/" .. server .. "/stat"))
    assert.is_nil(shell.read(folder .. "/log"))
  end)
end)
