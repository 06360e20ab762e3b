-- A bucket on loopback that checks every signature with AWS's own code (spec/s3/server/server.mjs), and hosts that keep their
-- artifacts in it.
--
--   local bucket = Bucket.start { region = "eu-test-1" }     -- nil and why: node or npm is not there
--   local odd = bucket:host { deliver = "redirect" }          -- as spec/support/odd_outputs.lua
--   bucket:control { away = true }
--   bucket:seen(), bucket:objects(), bucket:remove()
local cjson = require "cjson"
local npm = require "spec.support.npm"
local Odd = require "spec.support.odd_outputs"
local start = require("spec.support.host").start

local Bucket = {}
Bucket.__index = Bucket

Bucket.KEY, Bucket.SECRET = "AKPLANTEDPLANTED1234", "planted/Secret+Access+Key/0123456789abcdef"

--- options: region, bucket, token, page (rows of a page of a listing), port.
function Bucket.start(options)
  local missing = npm.install(npm.S3)
  if missing then return nil, missing end
  options = options or {}
  local self = setmetatable({}, Bucket)
  self.options = {
    bucket = options.bucket or "films", region = options.region or "eu-test-1", key = Bucket.KEY, secret = Bucket.SECRET,
    token = options.token, page = options.page, port = options.port,
  }
  self.server = start { program = "/usr/bin/env", config = "",
    arguments = { "node", npm.S3.folder .. "/server.mjs", cjson.encode(self.options) } }
  self.endpoint = "http://127.0.0.1:" .. self.server.port
  return self
end

function Bucket:remove()
  self.server:kill()
  self.server:remove()
end

function Bucket:control(changes)
  assert(self.server:post("/~control", changes).status == 200)
end

function Bucket:told()
  return self.server:get("/~control").json
end

--- Requests so far, those of a method if it is named.
function Bucket:seen(method)
  local found = {}
  for _, row in ipairs(self:told().seen) do
    if not method or row.method == method then found[#found + 1] = row end
  end
  return found
end

--- By their names.
function Bucket:objects()
  local found = {}
  for _, row in ipairs(self:told().objects) do found[row.name] = row end
  return found
end

function Bucket:artifacts(changes)
  local place = "s3://" .. self.options.bucket .. "/kept/here"
  local artifacts = { dir = place, endpoint = self.endpoint, region = self.options.region }
  for name, value in pairs(changes or {}) do artifacts[name] = value end
  return artifacts
end

--- A host with the provider "odd". changes: over its artifacts; options: as Odd.start has them.
function Bucket:host(changes, options)
  options = options or {}
  options.artifacts = self:artifacts(changes)
  options.s3 = options.s3 or
    { access_key_id = Bucket.KEY, secret_access_key = Bucket.SECRET, session_token = self.options.token }
  options.max_bytes = options.max_bytes or 200000000
  return Odd.start(options)
end

--- Where a file is, by an entry of a job's `artifacts`.
function Bucket.name(artifact, rest)
  return ("kept/here/%s/%s%s"):format(artifact.sha256:sub(1, 2), artifact.sha256, rest or "")
end

return Bucket
