-- drivers.lua - the inputs of a request by which the prices of one model's jobs differ, as a text: jobs with the same text are
-- compared (ctx.observed).

local cjson = require "cjson"
local names = require "names"

local drivers = {}

local null = cjson.null

local MAX_VALUE_BYTES, MAX_BYTES = 40, 200

local function text_of(value)
  local kind = type(value)
  if kind == "number" or kind == "boolean" then return tostring(value) end
  if kind == "table" and value.width and value.height then
    value = value.width .. "x" .. value.height
  elseif kind ~= "string" then
    return "given"
  end
  return (string.gsub(string.sub(value, 1, MAX_VALUE_BYTES), "[%s%c]", "_"))
end

--- Made once, at load: a function that makes the text, "duration=8 resolution=720p", of the inputs among these words that a body
-- has; nil when it has none.
function drivers.among(words)
  local is_driver = names.words(words)
  return function(body)
    local texts
    for name, value in pairs(body) do
      if is_driver[name] and value ~= null then
        texts = texts or {}
        texts[#texts + 1] = name .. "=" .. text_of(value)
      end
    end
    if not texts then return nil end
    table.sort(texts)
    return string.sub(table.concat(texts, " "), 1, MAX_BYTES)
  end
end

return drivers
