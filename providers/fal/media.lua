-- media.lua - what fal fetches as a file, and what of an output is one.

local check = require "check"
local data_uri = require "data_uri"
local values = require "fal.values"
local url_parts = require "url_parts"

local media = {}

local starts_with = values.starts_with

--- Refuses what fal cannot fetch as a file.
function media.check_file(text, path)
  if type(text) ~= "string" then check.fail(path, "must be an https URL or a data URI") end
  if data_uri.begins(text) then
    local parsed, problem = data_uri.parse(text)
    if not parsed then check.fail(path, problem) end
  elseif not starts_with(text, "https://") then
    check.fail(path, "must be an https URL or a data URI")
  end
end

-- Where fal keeps files.
local FILE_HOSTS = { "fal.media", "*.fal.media" }

--- A file is an object with a `url`, or a member that says so by its name, at any depth; or an address where fal keeps files.
function media.is_file(name, url)
  if name == "url" or name == "urls" or string.sub(name, -4) == "_url" or string.sub(name, -5) == "_urls" then return true end
  local host = url_parts.parse(url).host
  return url_parts.host_matches(host, FILE_HOSTS[1]) or url_parts.host_matches(host, FILE_HOSTS[2])
end

return media
