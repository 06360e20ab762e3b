-- What keeps a host from its registry on a server is said in words that help, at once where waiting does not, and never with
-- the password.
local example = require "spec.support.cluster_example"
local hosts = require "spec.support.host"
local socket = require "socket"

local SUBMIT = "/api/providers/image/fal/submit"
local PASSWORD = "not-this-one"

if example.missing() then
  describe("a registry on a server", function()
    it("is refused in words that help", function() pending(example.missing()) end)
  end)
  return
end

describe("a registry on a server", function()
  local server
  setup(function() server = example.server() end)
  teardown(function() server:remove() end)
  before_each(function()
    server:administer "-d providerd -c 'DROP SCHEMA providerd CASCADE' -c 'CREATE SCHEMA providerd AUTHORIZATION providerd'"
  end)

  local function refusal(url, options)
    options = options or {}
    options.config = { registry = { url = url } }
    local ok, problem = pcall(hosts.start, options)
    if ok then problem:remove() end
    assert.falsy(ok, "it started")
    assert.falsy(problem:find(server.password, 1, true), problem)
    assert.falsy(problem:find(PASSWORD, 1, true), problem)
    return problem
  end

  local function says(problem, ...)
    for _, text in ipairs { ... } do assert.truthy(problem:find(text, 1, true), problem) end
  end

  -- One host makes it, and ends.
  local function made()
    local host = hosts.start { config = { registry = { url = server:url() } } }
    assert.equal(200, host:post("/api/providers/image/fal/submit", { prompt = "x" }).status)
    host:remove()
  end

  it("of a newer schema", function()
    made()
    server:administer "-d providerd -c 'UPDATE providerd.registry SET version = 1000, oldest = 1000'"
    says(refusal(server:url()), "schema version 1000", "install the newer program")
  end)

  it("of another program", function()
    server:administer "-d providerd -c 'CREATE TABLE providerd.theirs (a int)'"
    says(refusal(server:url()), "another program", "a schema")
  end)

  it("whose user has no schema, or one that is not his", function()
    server:administer "-d providerd -c 'DROP SCHEMA providerd'"
    says(refusal(server:url()), "no schema", "CREATE SCHEMA")
    server:administer "-d providerd -c 'CREATE SCHEMA providerd' -c 'GRANT USAGE ON SCHEMA providerd TO providerd'"
    says(refusal(server:url()), "permission", "owner of the registry's schema")
  end)

  it("whose certificate has another name, or is somebody else's", function()
    says(refusal(server:url { localhost = "127.0.0.1" }), "certificate", "sslmode")
    says(refusal(server:url { ["/root.crt"] = "/studio.example.crt" }), "certificate", "sslrootcert")
  end)

  it("that takes no connection without TLS", function()
    says(refusal(server:url { ["sslmode=verify-full"] = "sslmode=disable" }), "pg_hba.conf")
  end)

  it("with a wrong password, or none", function()
    server:write_password(PASSWORD)
    says(refusal(server:url()), "password")
    server:write_password(server.password)
    local code = os.rename(server.folder .. "/pgpass", server.folder .. "/pgpass.away")
    assert.truthy(code)
    says(refusal(server:url()), "password")
    assert(os.rename(server.folder .. "/pgpass.away", server.folder .. "/pgpass"))
    says(refusal(server:url { ["providerd@"] = "providerd:" .. PASSWORD .. "@" }), "password")
  end)

  it("whose database is not there", function()
    says(refusal(server:url { ["/providerd?"] = "/nothing?" }), "nothing")
  end)

  it("whose host has no address", function()
    says(refusal(server:url { localhost = "db.invalid" }, { env = { PROVIDERD_TEST_START_WAIT_MS = "1000" } }), "db.invalid",
      "host and port", "waited for for 1 s")
  end)

  it("that is not there: it is waited for, and then named", function()
    local url, began = server:url { [":" .. server.database_port] = ":1" }, socket.gettime()
    says(refusal(url, { env = { PROVIDERD_TEST_START_WAIT_MS = "2000" } }), "localhost:1", "waited for for 2 s")
    assert.is_true(socket.gettime() - began >= 2)
  end)

  it("that is not there, and comes", function()
    server.cluster:stop()
    server:start_later(2)
    local host = hosts.start { config = { registry = { url = server:url() } } }
    assert.truthy(host:log():find("registry.waiting", 1, true))
    assert.equal(200, host:post(SUBMIT, { prompt = "x" }).status)
    host:remove()
  end)

  it("whose URL nobody can read", function()
    says(refusal("postgresql://providerd:" .. PASSWORD .. "@[::1/x"), "registry.url", "postgresql://")
    says(refusal "postgres:/x", "registry.url")
  end)

  it("whose home has a host already", function()
    local host = hosts.start { config = { registry = { url = server:url() } } }
    local code, _, err = hosts.run { "serve", "--home", host.home, "--listen", "127.0.0.1:0" }
    assert.equal(1, code)
    says(err, "another host runs on this home")
    host:remove()
  end)
end)
