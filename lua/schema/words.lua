-- words.lua - what is said of values that are not what they must be.

local cjson = require "cjson"

local words = {}

local MAX_LISTED, MAX_TEXTS = 16, 60

local null, is_array = cjson.null, cjson.is_array
local ipairs, tostring, type = ipairs, tostring, type
local concat, min, tointeger = table.concat, math.min, math.tointeger

local TYPE_WORDS = {
  string = "text", number = "a number", integer = "a whole number", boolean = "true or false", array = "an array",
  object = "an object", null = "null",
}

--- A value as text: a whole number without a fraction.
function words.text_of(value)
  if type(value) == "number" then return tostring(tointeger(value) or value) end
  return tostring(value)
end

--- What a JSON value is called.
function words.what_is(value)
  if value == null then return "null" end
  local kind = type(value)
  if kind == "table" then return is_array(value) and "an array" or "an object" end
  return kind == "string" and "text" or kind == "number" and "a number" or "a " .. kind
end

--- The values of a list in one text.
function words.texts_of(list)
  local texts = {}
  for index = 1, min(#list, MAX_TEXTS) do texts[index] = words.text_of(list[index]) end
  return concat(texts, ", ") .. (#list > MAX_TEXTS and " and " .. #list - MAX_TEXTS .. " more" or "")
end

--- What a range allows, as a list: the numbers themselves, as long as they are few.
function words.listed(low, high)
  if not low then return { "at most " .. words.text_of(high) } end
  if not high then return { "at least " .. words.text_of(low) } end
  if math.type(low) ~= "integer" or math.type(high) ~= "integer" or high - low >= MAX_LISTED then
    return { words.text_of(low) .. " to " .. words.text_of(high) }
  end
  local list = {}
  for number = low, high do list[#list + 1] = number end
  return list
end

--- What is said of a value outside of a range; one bound may be nil.
function words.range_message(low, high)
  if low and high then return "must be from " .. words.text_of(low) .. " to " .. words.text_of(high) end
  return low and "must be at least " .. words.text_of(low) or "must be at most " .. words.text_of(high)
end

--- What a type, or a list of types, is called.
function words.types_in_words(types)
  if type(types) == "string" then return TYPE_WORDS[types] end
  local texts = {}
  for _, name in ipairs(types) do
    if name ~= "null" then texts[#texts + 1] = TYPE_WORDS[name] end
  end
  return concat(texts, " or ")
end

--- What an alternative takes, or nil.
function words.describe(branch)
  if branch.enum then return "one of " .. words.texts_of(branch.enum) end
  if branch.type then return words.types_in_words(branch.type) end
  return nil
end

return words
