-- url_parts.lua - takes URLs apart and puts them together, for vendors whose host or path is different for each job.
--
-- Only what HTTP requests need of RFC 3986: http and https, no user part, no dot segments.

local url_parts = {}

-- Servers and proxies stop at about this length; patterns never see a longer text.
local MAX_BYTES = 8192
local MAX_HOST_BYTES = 260

-- Patterns that begin at "^" and go over a text in one go cost a fraction of those that look for a beginning at each byte.
local NO_BLANKS = "^[!-~\128-\255]*$" -- neither white space nor control characters
local UNRESERVED = "^[%w._~-]*$"

local find, lower, match, sub = string.find, string.lower, string.match, string.sub

local function percent_encoded(byte)
  return string.format("%%%02X", string.byte(byte))
end

--- A text as one segment of a path: everything but unreserved characters percent-encoded, so that it cannot leave its place.
function url_parts.segment(text)
  text = tostring(text)
  if text == "." or text == ".." then return (string.gsub(text, "%.", "%%2E")) end
  if find(text, UNRESERVED) then return text end
  return (string.gsub(text, "[^%w%-%._~]", percent_encoded))
end

--- Whether a text can be a name in a path: one segment that does not mean another place, however a server decodes it.
function url_parts.is_name(text)
  if text == "" or text == "." or text == ".." then return false end
  return find(text, UNRESERVED) ~= nil or not find(text, "[%s%c/\\?#%%]")
end

--- Takes an absolute URL apart: { scheme =, host =, port =, origin =, path =, query = }, or nil and what is wrong.
-- `host` is in lower case, `path` begins with "/", `query` and `port` are nil when absent. A fragment is dropped.
function url_parts.parse(text)
  if type(text) ~= "string" or #text > MAX_BYTES then return nil, "must be a URL of at most " .. MAX_BYTES .. " bytes" end
  if not find(text, NO_BLANKS) then return nil, "must be a URL without white space" end
  local fragment = find(text, "#", 1, true)
  if fragment then text = sub(text, 1, fragment - 1) end
  -- In steps, by plain searches: one pattern for all of it could take the matcher too long on a long URL.
  local scheme_end = find(text, "://", 1, true)
  local scheme = scheme_end and lower(sub(text, 1, scheme_end - 1))
  if scheme ~= "https" and scheme ~= "http" then return nil, "must be a URL that begins with https://" end
  local host_start = scheme_end + 3
  local slash, query_mark = find(text, "/", host_start, true), find(text, "?", host_start, true) or #text + 1
  local host_end = (slash and slash < query_mark and slash or query_mark) - 1
  local authority = lower(sub(text, host_start, host_end))
  local host, port = match(sub(authority, 1, MAX_HOST_BYTES + 1), "^([a-z0-9.-]+):?(%d*)$")
  if not host or #authority > MAX_HOST_BYTES then return nil, "must be a URL with a host name" end
  local path, query = sub(text, host_end + 1, query_mark - 1), sub(text, query_mark + 1)
  return {
    scheme = scheme, host = host, port = port ~= "" and port or nil, origin = scheme .. "://" .. authority,
    path = path ~= "" and path or "/", query = query ~= "" and query or nil,
  }
end

--- What a reference (a Location header, say) means on a page at `base`: an absolute URL, or nil and what is wrong.
function url_parts.resolve(base, reference)
  local at, problem = url_parts.parse(base)
  if not at then return nil, problem end
  if type(reference) ~= "string" or reference == "" or #reference > MAX_BYTES then
    return nil, "must be a URL of at most " .. MAX_BYTES .. " bytes"
  end
  local target
  if string.find(reference, "^%a[%w+.-]*:") then
    target = reference
  elseif string.sub(reference, 1, 2) == "//" then
    target = at.scheme .. ":" .. reference
  elseif string.sub(reference, 1, 1) == "/" then
    target = at.origin .. reference
  elseif string.sub(reference, 1, 1) == "?" then
    target = at.origin .. at.path .. reference
  else
    target = at.origin .. string.match(at.path, "^(.*/)") .. reference
  end
  local ok, wrong = url_parts.parse(target)
  if not ok then return nil, wrong end
  return target
end

--- Whether a host name is meant by a pattern: the name itself, or "*.name" for every name below it.
function url_parts.host_matches(host, pattern)
  if string.sub(pattern, 1, 2) ~= "*." then return host == pattern end
  local suffix = string.sub(pattern, 2)
  return #host > #suffix and string.sub(host, -#suffix) == suffix
end

return url_parts
