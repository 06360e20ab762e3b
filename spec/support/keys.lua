-- API keys for specs: an entry of server.api_keys, and the headers of who has it.
local keys = {}

--- The key that belongs to this name.
function keys.key(name)
  return "key-of-" .. name .. "-0123456789abcdef"
end

--- { name =, sha256 =, ... } with further members.
function keys.entry(name, members)
  local pipe = assert(io.popen("printf %s " .. keys.key(name) .. " | sha256sum"))
  local entry = { name = name, sha256 = pipe:read("a"):match("^%x+") }
  pipe:close()
  for member, value in pairs(members or {}) do entry[member] = value end
  return entry
end

function keys.headers(name, further)
  local headers = { ["X-API-Key"] = keys.key(name) }
  for header, value in pairs(further or {}) do headers[header] = value end
  return headers
end

return keys
