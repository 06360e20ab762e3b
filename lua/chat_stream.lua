-- chat_stream.lua - what a stream of an engine's answer adds up to: the answer that it would have given without a stream.
--
-- Chunks of OpenAI's kind (choices with a delta or a text) and of text generation (token, generated_text, details) are put
-- together: texts are joined, lists with an index are filled, the last word counts of everything else. So tool calls, reasoning,
-- the end's reason, every choice and the usage are kept, under whatever names an engine gives them.

local cjson = require "cjson"
local event_stream = require "event_stream"
local names = require "names"

local chat_stream = {}

local null = cjson.null

-- Words that a stream repeats rather than continues.
local IS_SAID_AGAIN = names.words "id type role name object model finish_reason stop_reason"

-- Marks a text that is still in pieces; no JSON has such a name.
local PIECES = {}

local merge

local function merge_item(list, item)
  local at = type(item) == "table" and math.tointeger(item.index)
  if not at then
    list[#list + 1] = item
    return
  end
  for _, known in ipairs(list) do
    if known.index == at then return merge(known, item) end
  end
  list[#list + 1] = merge({}, item)
end

local function merge_value(known, value, name)
  if known == nil or known == null then
    if type(value) ~= "table" then return value end
    known = cjson.is_array(value) and cjson.array {} or {}
  end
  if type(value) == "table" and type(known) == "table" then
    if not cjson.is_array(value) then return merge(known, value) end
    for _, item in ipairs(value) do merge_item(known, item) end
    return known
  end
  if type(value) ~= "string" or type(known) ~= "string" or value == known and IS_SAID_AGAIN[name] then return value end
  if name == "name" or not IS_SAID_AGAIN[name] then return { known, value } end
  return value ~= "" and value or known
end

-- Adds an object of a chunk to what came before. Texts in pieces become one at the end (joined): a long answer has thousands.
function merge(into, from)
  for name, value in pairs(from) do
    if value ~= null then
      local known = into[name]
      local pieces = type(known) == "table" and known[PIECES]
      if pieces and type(value) == "string" then
        pieces[#pieces + 1] = value
      else
        local merged = merge_value(known, value, name)
        if type(merged) == "table" and type(known) == "string" then merged = { [PIECES] = merged } end
        into[name] = merged
      end
    end
  end
  return into
end

local function joined(value)
  if type(value) ~= "table" then return value end
  if value[PIECES] then return table.concat(value[PIECES]) end
  local copy = cjson.is_array(value) and cjson.array {} or {}
  for name, item in pairs(value) do copy[name] = joined(item) end
  return copy
end

local function by_index(one, other)
  return (one.index or 0) < (other.index or 0)
end

local function as_answer(chunks)
  local answer = joined(chunks)
  if type(answer.choices) ~= "table" then return answer end
  table.sort(answer.choices, by_index)
  for _, choice in ipairs(answer.choices) do
    choice.message, choice.delta = choice.message or choice.delta, nil
    for _, call in ipairs(type(choice.message) == "table" and choice.message.tool_calls or {}) do call.index = nil end
  end
  if type(answer.object) == "string" then answer.object = string.gsub(answer.object, "%.chunk$", "") end
  return answer
end

-- A chunk of text generation: its token's text, then the whole.
local function add_generated(answer, event)
  answer = answer or {}
  if type(event.generated_text) == "string" then answer.generated_text = event.generated_text end
  if type(event.details) == "table" then answer.details = event.details end
  return answer
end

local function text_of(event)
  local token, first = event.token, type(event.choices) == "table" and event.choices[1]
  if type(token) == "table" then return token.special ~= true and token.text or nil end
  if type(first) ~= "table" then return nil end
  return type(first.delta) == "table" and first.delta.content or first.text
end

-- `found`: { chat =, generated =, pieces =, other = }.
local function add_event(found, json)
  local text = json and text_of(json)
  if type(text) == "string" then found.pieces[#found.pieces + 1] = text end
  if json and type(json.choices) == "table" then
    found.chat = merge(found.chat or {}, json)
  elseif json and (json.token ~= nil or json.generated_text ~= nil) then
    found.generated = add_generated(found.generated, json)
  else
    found.other = true
  end
end

local function answer_of(found)
  local generated = found.generated
  if found.chat and not generated then return as_answer(found.chat) end
  if generated then generated.generated_text = generated.generated_text or table.concat(found.pieces) end
  return generated
end

--- Reads a stream that has arrived whole: the answer that it adds up to (nil without chunks of a known kind), whether there
-- is something else in it, and the error that ended it, if one did.
function chat_stream.read(body)
  local found = { pieces = {} }
  for _, event in ipairs(event_stream.read(body)) do
    local json = type(event.json) == "table" and event.json or nil
    if json and json.error ~= nil and json.error ~= null then return answer_of(found), found.other, json.error end
    if event.data ~= "[DONE]" then add_event(found, json) end
  end
  return answer_of(found), found.other, nil
end

return chat_stream
