-- results.lua - the result of a function, whatever its author returns.

local check = require "check"
local outputs = require "outputs"

local results = {}

local given = check.is_given

--- Whether there is an answer, of the 200s.
function results.is_success(response)
  return response ~= nil and response.status >= 200 and response.status < 300
end

--- The Content-Type without its parameters, in lower case, or "".
function results.media_type(response)
  local header = string.sub(response.headers["content-type"] or "", 1, 200)
  return string.lower(string.match(header, "^%s*([^;%s]*)") or "")
end

--- Whether an answer says that it is JSON, and is not.
function results.is_broken_json(response)
  return response.json == nil and response.body ~= "" and string.find(results.media_type(response), "json", 1, true) ~= nil
end

-- The result of a function is whatever its author returns: JSON, text, or the bytes of a file.
local function artifacts_of(response)
  local kind, body = results.media_type(response), response.body or ""
  if response.json ~= nil and (kind == "" or string.find(kind, "json", 1, true)) then return outputs.artifacts(response.json) end
  if body == "" then return {} end
  if kind == "" or string.sub(kind, 1, 5) == "text/" or string.find(kind, "json", 1, true) then
    return { outputs.body(response, kind ~= "" and kind or "text/plain") }
  end
  return { outputs.bytes(response, kind) }
end

--- Whether an answer without the id of a call may be what was asked for: something that is more than a receipt.
function results.is_result(response)
  local json = response.json
  if type(json) == "userdata" then return true end -- more than can be taken apart
  if type(json) ~= "table" then return json == nil and (response.body or "") ~= "" and not results.is_broken_json(response) end
  for _, name in ipairs { "result", "output", "outputs", "data", "images", "image", "url", "choices" } do
    if given(json[name]) then return true end
  end
  return false
end

--- The result of a call that is done.
function results.done(response, id)
  return { id = id, status = "done", progress = 1, artifacts = artifacts_of(response) }
end

return results
