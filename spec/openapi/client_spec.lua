-- Types for TypeScript, generated from the document: a program that submits, waits and downloads (client.ts) compiles with them.
local hosts = require "spec.support.host"
local npm = require "spec.support.npm"

local DOCUMENTS = { any = "/openapi.json", flux = "/openapi.json?provider=fal&model=fal-ai/flux/schnell" }

local function save(name, text)
  local path = ("%s/%s.json"):format(os.getenv "TMPDIR" or "/tmp", name)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
  return path
end

describe("a client that is generated", function()
  it("type-checks a program that submits, waits and downloads", function()
    local missing = npm.install(npm.OPENAPI)
    if missing then return pending(missing) end
    local served = hosts.start()
    for name, path in pairs(DOCUMENTS) do
      local arguments = ("%s --default-non-nullable=false -o %s.ts"):format(save(name, served:get(path).body), name)
      local ok, output = npm.node(npm.OPENAPI, arguments, "node_modules/.bin/openapi-typescript")
      assert.is_true(ok, output)
    end
    served:remove()
    local ok, output = npm.node(npm.OPENAPI, "-p tsconfig.json", "node_modules/.bin/tsc")
    assert.equal("", output)
    assert.is_true(ok)
  end)
end)
