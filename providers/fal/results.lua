-- results.lua - the result of a model that ran: its output, or its failure.

local check = require "check"
local cjson = require "cjson"
local billing = require "fal.billing"
local errors = require "fal.errors"
local media = require "fal.media"
local requests = require "fal.requests"
local values = require "fal.values"
local names = require "names"
local outputs = require "outputs"

local results = {}

local table_of = values.table_of

--- A model that refused its input, or failed: the units tell whether that is billed.
function results.failed(response, reading)
  local result = errors.result(response, nil, true)
  local cost, units = billing.cost_of(response, reading)
  if result.error.billed == nil and units then
    result.error.billed = units > 0
  elseif result.error.billed == nil and response.status >= 500 then
    result.error.billed = false -- fal bills no failure of a server
  end
  result.cost, result.retry_after = cost, nil
  return result
end

-- Remarks on how files were made, or told in their artifacts; what else stands beside files is a part of the output.
local READING = { is_file = media.is_file, ignore = names.set { "file_size", "has_nsfw_concepts", "prompt", "seed", "timings" } }

-- The artifacts of an output, and how many of them are files.
local function artifacts_of(output)
  local artifacts, count = outputs.artifacts(output, READING), 0
  local seed = math.tointeger(output.seed) or (check.is_integer(output.seed) and output.seed) or nil
  for _, artifact in ipairs(artifacts) do
    if artifact.url or artifact.data_uri then
      count = count + 1
      artifact.seed = seed
    end
  end
  return artifacts, count
end

-- The safety checker answers 200 with a blackened picture and a mark in a list beside the pictures. The output without these, and
-- how many they are.
local function without_withheld(output)
  local marks, images, kept = table_of(output.has_nsfw_concepts), output.images, cjson.array {}
  if next(marks) == nil or type(images) ~= "table" then return output, 0 end
  for index, image in ipairs(images) do
    if marks[index] ~= true then kept[#kept + 1] = image end
  end
  local rest = check.copy(output)
  rest.images = kept
  return rest, #images - #kept
end

--- The result of an output; nil when the answer is none. `reading`, as the submit knew it: `unit_price`, US dollars for one of
-- the model's billing units; `usd`, what the whole costs by the table; `keep_flagged`: the safety checker was switched off, so
-- that a mark is a remark and the picture is whole; `makes_files`: an output without a file is not this model's.
function results.finished(id, response, reading)
  local output, withheld = table_of(response.json), 0
  if not reading.keep_flagged then output, withheld = without_withheld(output) end
  local artifacts, files = artifacts_of(output)
  if response.json == nil or (reading.makes_files and files + withheld == 0) then return nil end
  local cost, units = billing.cost_of(response, reading)
  if not cost and reading.usd then cost = { usd = reading.usd, source = "computed" } end
  if files == 0 and withheld > 0 then
    local billed
    if units then billed = units > 0 end
    local message = "the vendor's safety checker withheld every picture"
    return { id = id, status = "error", cost = cost, error = { code = "moderation", message = message, billed = billed } }
  end
  if files == 0 then artifacts = { { json = response.json, content_type = requests.JSON_CONTENT } } end
  local reason
  if withheld > 0 then reason = withheld .. " of " .. withheld + files .. " pictures withheld by the vendor's safety checker" end
  return { id = id, status = "done", progress = 1, artifacts = artifacts, cost = cost, reason = reason }
end

return results
