-- url_parts.lua - takes URLs apart and puts them together, for vendors whose host or path is different for each job.
--
-- Only what HTTP requests need of RFC 3986: http and https, no user part, no dot segments.

local url_parts = {}

-- Servers and proxies stop at about this length; patterns never see a longer text.
local MAX_BYTES = 8192
local MAX_HOST_BYTES = 260
local MAX_HEAD_BYTES = #"https://" + MAX_HOST_BYTES + 1

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

-- What stands behind the host, which ends before `start`, in plain searches: one pattern for all of it could take the matcher too
-- long on a long URL.
local function path_and_query(text, start)
  local fragment = find(text, "#", start, true)
  if fragment then text = sub(text, 1, fragment - 1) end
  local mark = find(text, "?", start, true)
  if not mark then return sub(text, start), nil end
  return sub(text, start, mark - 1), mark < #text and sub(text, mark + 1) or nil
end

--- Takes an absolute URL apart: { scheme =, host =, port =, origin =, path =, query = }, or nil and what is wrong.
-- `host` is in lower case, `path` begins with "/", `query` and `port` are nil when absent. A fragment is dropped.
function url_parts.parse(text)
  if type(text) ~= "string" or #text > MAX_BYTES then return nil, "must be a URL of at most " .. MAX_BYTES .. " bytes" end
  local head = lower(sub(text, 1, MAX_HEAD_BYTES))
  local scheme, host, port, stop = match(head, "^(https?)://([a-z0-9.-]+):?(%d*)()")
  if not find(text, NO_BLANKS, stop) then return nil, "must be a URL without white space" end
  if not find(head, "^https?://") then return nil, "must be a URL that begins with https://" end
  if not host or stop > #scheme + 4 + MAX_HOST_BYTES or find(text, "^[^/?#]", stop) then
    return nil, "must be a URL with a host name"
  end
  local path, query = "", nil
  if stop <= #text then path, query = path_and_query(text, stop) end
  return {
    scheme = scheme, host = host, port = port ~= "" and port or nil, origin = sub(head, 1, stop - 1),
    path = path ~= "" and path or "/", query = query,
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

--- Made once, at load: a function that says whether a host name is meant by a pattern: the name itself, or "*.name" for every
-- name below it.
function url_parts.host_matcher(pattern)
  if sub(pattern, 1, 2) ~= "*." then return function(host) return host == pattern end end
  local suffix = sub(pattern, 2)
  local length = #suffix
  return function(host) return #host > length and sub(host, -length) == suffix end
end

--- The same of a pattern that is not known at load.
function url_parts.host_matches(host, pattern)
  return url_parts.host_matcher(pattern)(host)
end

return url_parts
