-- reconcile.lua - compares a job whose submit got no answer with what a vendor lists (docs/provider-scripts.md, reconcile).
--
-- A wrong match would poll, and pay for, somebody else's job: whatever is not certain is `unknown`.

local cjson = require "cjson"
local times = require "times"

local reconcile = {}

-- Clocks differ, and a vendor may write down the second only.
local SKEW_SECONDS = 120

-- How the host cuts long texts of a payload, and how much longer a text is with its escapes.
local CUT = "^(.*)%.%.%. %((%d+) bytes%)$"
local MAX_CUT_BYTES = 128
local MAX_ESCAPED_BYTES = 6

-- Deeper than any input that a vendor takes.
local MAX_DEPTH = 32

--- Nobody can say.
function reconcile.unknown()
  return { status = "unknown" }
end

--- The vendor's list is complete for that time and does not have the job.
function reconcile.missing()
  return { status = "unknown", found = false }
end

--- The ids of `job.claimed` as a set.
function reconcile.claimed(job)
  local set = {}
  for _, id in ipairs(type(job.claimed) == "table" and job.claimed or {}) do set[id] = true end
  return set
end

--- The earliest time at which a vendor can have made the job, in seconds since 1970; nil when it is not known when it was sent.
function reconcile.earliest(job)
  local sent = times.of_iso(job.submitted_at)
  return sent and sent - SKEW_SECONDS
end

-- A request is over, with or without an answer, after so long.
local LONGEST_REQUEST_SECONDS = 900

--- The latest time at which a vendor can have made the job; nil as for `earliest`.
function reconcile.latest(job)
  local sent = times.of_iso(job.submitted_at)
  return sent and sent + LONGEST_REQUEST_SECONDS + SKEW_SECONDS
end

--- A value if it is a list, also an empty one; nil for anything else: an answer in another shape must not look complete.
function reconcile.list(value)
  if type(value) ~= "table" or (value[1] == nil and next(value) ~= nil) then return nil end
  return value
end

local function same_text(mine, theirs)
  if mine == theirs then return true end
  if type(theirs) ~= "string" or #mine > MAX_CUT_BYTES then return false end
  local start, length = string.match(mine, CUT)
  length = tonumber(length)
  return start ~= nil and string.sub(theirs, 1, #start) == start and #theirs <= length
    and #theirs * MAX_ESCAPED_BYTES >= length
end

local function is_absent(value)
  return value == nil or value == cjson.null
end

--- Whether what was sent is what the vendor has: every value of `mine` is in `theirs`, which may have more beside. A text that
--- the host has cut counts by what is left of it. `instead(mine, theirs)` may take what the vendor writes differently.
function reconcile.same(mine, theirs, instead, depth)
  depth = depth or 0
  if is_absent(mine) then return true end
  if instead and instead(mine, theirs) then return true end
  if type(mine) == "string" then return same_text(mine, theirs) end
  if type(mine) ~= "table" then return mine == theirs end
  if type(theirs) ~= "table" or depth > MAX_DEPTH or #mine ~= #theirs then return false end
  for name, value in pairs(mine) do
    if not reconcile.same(value, theirs[name], instead, depth + 1) then return false end
  end
  return true
end

--- What the search of a complete list comes to: the only candidate as `result_of(candidate)`, none, or nobody can say.
function reconcile.answer(candidates, result_of)
  if #candidates == 1 then return result_of(candidates[1]) end
  return #candidates == 0 and reconcile.missing() or reconcile.unknown()
end

return reconcile
