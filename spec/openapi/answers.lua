-- Holds the answers that a run of specs has got against /openapi.json; spec/run.lua does so at its end.
--
--   lua5.4 spec/openapi/answers.lua FOLDER      of records (spec/support/openapi_recorder.lua)
--
-- Ends with 0 when they are as documented, with 1 when not, and with 2 when that cannot be told: npm or node are missing.
package.path = "./?.lua;" .. package.path
local hosts = require "spec.support.host"
local npm = require "spec.support.npm"
local shell = require "spec.support.shell"

local FOLDER = assert(arg[1], "usage: lua5.4 spec/openapi/answers.lua FOLDER")

local function absolute(path)
  return shell.output("realpath " .. shell.quote(path)):match("[^\n]+")
end

local missing = npm.install(npm.OPENAPI)
if missing then
  print("answers are not held against /openapi.json: " .. missing)
  os.exit(2)
end

local document = os.tmpname()
local served = hosts.start()
local file = assert(io.open(document, "w"))
file:write(served:get("/openapi.json").body)
file:close()
served:remove()
local ok, output = npm.node(npm.OPENAPI, ("answers.mjs %s %s"):format(document, absolute(FOLDER)))
os.remove(document)
io.write(output)
os.exit(ok and 0 or 1)
