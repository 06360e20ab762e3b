-- drivers.lua - the inputs of a request by which the prices of one model's jobs differ, as a text: jobs with the same text are
-- compared (ctx.observed).

local cjson = require "cjson"
local names = require "names"

local drivers = {}

local null = cjson.null
local find, gsub, sub = string.find, string.gsub, string.sub
local next, tostring, type = next, tostring, type

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
  if #value > MAX_VALUE_BYTES then value = sub(value, 1, MAX_VALUE_BYTES) end
  return find(value, "[%s%c]") and gsub(value, "[%s%c]", "_") or value
end

-- Puts a text into a sorted list, which then has `count`. Such lists are short.
local function insert(texts, count, text)
  local at = count
  while at > 1 and texts[at - 1] > text do
    texts[at] = texts[at - 1]
    at = at - 1
  end
  texts[at] = text
end

--- Made once, at load: a function that makes the text, "duration=8 resolution=720p", of the inputs among these words that a body
-- has; nil when it has none.
function drivers.among(words)
  local is_driver = names.words(words)
  return function(body)
    local texts, count = nil, 0
    for name, value in next, body do
      if is_driver[name] and value ~= null then
        texts, count = texts or { nil, nil, nil, nil }, count + 1 -- room for most
        insert(texts, count, name .. "=" .. text_of(value))
      end
    end
    if not texts then return nil end
    local text = texts[1]
    for index = 2, count do text = text .. " " .. texts[index] end
    return sub(text, 1, MAX_BYTES)
  end
end

return drivers
