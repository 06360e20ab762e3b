-- The check that spec/run.lua ends with: answers that are not in /openapi.json are found, and those that are in it are not.
local cjson = require "cjson"
local hosts = require "spec.support.host"
local npm = require "spec.support.npm"
local shell = require "spec.support.shell"

local FOLDER = (os.getenv "TMPDIR" or "/tmp") .. "/answers"

local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

describe("the check of answers", function()
  local served, missing, document

  setup(function()
    missing = npm.install(npm.OPENAPI)
    served = hosts.start()
    document = FOLDER .. "/document.json"
    shell.run("mkdir -p " .. FOLDER .. "/records")
    write(document, served:get("/openapi.json").body)
  end)
  teardown(function() served:remove() end)

  -- What is said of an answer: lines, the last of them the sum.
  local function said_of(changes)
    local record = { file = "spec/x_spec.lua", method = "GET", path = "/healthz", status = 200, type = "application/json" }
    for name, value in pairs(changes) do record[name] = value end
    record.bytes = #(record.body or "")
    write(FOLDER .. "/records/x", cjson.encode(record) .. "\n" .. '{"cut in the mid')
    local ok, output = npm.node(npm.OPENAPI, ("answers.mjs %s %s"):format(document, FOLDER .. "/records"))
    assert.equal(ok, output:find(" 0 differences", 1, true) ~= nil, output)
    return output
  end

  local function health() return served:get("/healthz").body end
  local function problem() return served:get("/api/nothing").body end
  local PROBLEM = "application/problem+json"

  local GOOD = {
    ["an answer as documented"] = function() return { body = health() } end,
    ["a slash at the end"] = function() return { path = "/healthz/", body = health() } end,
    ["HEAD"] = function() return { method = "HEAD" } end,
    ["a path that is not there"] = function()
      return { path = "/api/nothing", status = 404, type = PROBLEM, body = problem() }
    end,
    ["a method that is not there"] = function()
      return { method = "PUT", status = 405, type = PROBLEM, body = problem() }
    end,
    ["HEAD where there is no GET"] = function() return { method = "HEAD", path = "/mcp", status = 405, type = PROBLEM } end,
    ["what any request may be told"] = function() return { status = 431, type = PROBLEM, body = problem() } end,
    ["the same below /live"] = function()
      return { path = "/live/v1/models", body = served:get("/v1/models").body }
    end,
    ["a file below a path"] = function() return { path = "/ui/js/x.js", type = "text/javascript", body = "1" } end,
  }
  local BAD = {
    ["this route is not in the document"] = function() return { path = "/api/nothing", body = health() } end,
    ["GET /healthz 418: this status is not in the document"] = function() return { status = 418, body = health() } end,
    ["its media type is text/html"] = function() return { type = "text/html", body = "<p>" } end,
    ['properties: "debug"'] = function() return { body = (health():gsub("^{", '{"debug":1,')) } end,
    ["must have required property 'version'"] = function() return { body = (health():gsub('"version"', '"ok"')) } end,
    ["/version must be string"] = function() return { body = (health():gsub('"version":"[^"]*"', '"version":5')) } end,
    ['properties: "provider_id"'] = function()
      return { path = "/api/nothing", status = 404, type = PROBLEM, body = (problem():gsub("^{", '{"provider_id":1,')) }
    end,
    ["/status must be integer"] = function()
      return { status = 503, type = PROBLEM, body = (problem():gsub('"status":404', '"status":"404"')) }
    end,
  }

  for name, answer in pairs(GOOD) do
    it("passes " .. name, function()
      if missing then return pending(missing) end
      local said = said_of(answer())
      assert.truthy(said:find("1 answers of 1 routes, 0 differences\n", 1, true), said)
    end)
  end

  for what, answer in pairs(BAD) do
    it("names what is not as documented: " .. what, function()
      if missing then return pending(missing) end
      local said = said_of(answer())
      assert.truthy(said:find("spec/x_spec.lua: ", 1, true), said)
      assert.truthy(said:find(what, 1, true), said)
    end)
  end
end)
