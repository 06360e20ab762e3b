-- words.lua - what the words of an app's result route mean, of one that answers 200 also while the call runs, or when it
-- failed.

local check = require "check"
local cjson = require "cjson"
local names = require "names"

local words = {}

local given = check.is_given

local IS_FINISHED_NAME = names.words "finished done completed complete ready is_finished is_done is_ready"
local PENDING_WORDS = names.words [[ pending queued running processing in_progress in-progress starting started submitted accepted
  waiting working not_ready in_queue ]]
local FAILED_WORDS = names.words "failed failure error errored"
local OUTCOME_NAMES = { "result", "output", "outputs", "data" }

local function word_of(json, name)
  return type(json[name]) == "string" and string.lower(string.sub(json[name], 1, 32)) or nil
end

--- Whether an app's status route says that the call is not at its end; nil: it says nothing of it.
function words.is_pending(json)
  if type(json) ~= "table" or cjson.is_array(json) then return nil end
  for name in pairs(IS_FINISHED_NAME) do
    if type(json[name]) == "boolean" then return not json[name] end
  end
  for _, name in ipairs(OUTCOME_NAMES) do
    if given(json[name]) then return nil end
  end
  return PENDING_WORDS[word_of(json, "status") or word_of(json, "state") or ""]
end

--- Whether an app's status route says that the call failed.
function words.is_failed(json)
  if type(json) ~= "table" or cjson.is_array(json) then return false end
  if not FAILED_WORDS[word_of(json, "status") or word_of(json, "state") or ""] then return false end
  for _, name in ipairs(OUTCOME_NAMES) do
    if given(json[name]) then return false end
  end
  return true
end

return words
