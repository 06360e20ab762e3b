-- drivers.lua - the inputs of a request by which the prices of one model's jobs differ, as a text: jobs with the same text are
-- compared (ctx.observed).

local cjson = require "cjson"
local names = require "names"

local drivers = {}

local null = cjson.null
local find, gsub, sub = string.find, string.gsub, string.sub
local tostring, type = tostring, type

local MAX_VALUE_BYTES, MAX_BYTES = 40, 200

local function text_of(value)
  local kind = type(value)
  if kind == "number" then return value end -- `..` writes it as tostring does
  if kind == "boolean" then return tostring(value) end
  if kind == "table" and value.width and value.height then
    value = value.width .. "x" .. value.height
  elseif kind ~= "string" then
    return "given"
  end
  value = sub(value, 1, MAX_VALUE_BYTES)
  return find(value, "[%s%c]") and gsub(value, "[%s%c]", "_") or value
end

--- Made once, at load: a function that makes the text, "duration=8 resolution=720p", of the inputs among these words that a body
-- has; nil when it has none.
function drivers.among(words)
  local sorted = names.sorted(names.words(words))
  local count = #sorted
  return function(body)
    local text
    for index = 1, count do
      local word = sorted[index]
      local value = body[word]
      if value ~= nil and value ~= null then
        local one = word .. "=" .. text_of(value)
        text = text and text .. " " .. one or one
      end
    end
    return text and sub(text, 1, MAX_BYTES)
  end
end

return drivers
