-- search.lua - finds a generation whose create got no answer, in Dream Machine's list. The Agents API has none.
--
-- A callback's address is different for each job and decides alone; without one, a generation is the job's when it is the only
-- one of its time that was asked for in the same words.

local check = require "check"
local reconcile = require "reconcile"
local times = require "times"

local search = {}

local PAGE, MAX_PAGES = 100, 20

local function is_same(job, body, generation)
  local request = type(generation.request) == "table" and generation.request or {}
  local hook = not body.callback_url and job.webhook_url or nil
  if hook and check.is_given(request.callback_url) then return request.callback_url == hook end
  if check.is_given(generation.model) and body.model and generation.model ~= body.model then return false end
  local wanted = check.copy(body)
  wanted.model = nil
  return reconcile.same(wanted, request)
end

-- The generations of a page that were made from `seen.earliest` on and belong to no other job; nil when the page cannot be read.
-- `seen.last` is when the oldest so far was made, while the list goes back in time.
local function take_page(list, seen, found)
  for _, generation in ipairs(list) do
    local created = type(generation) == "table" and type(generation.id) == "string" and times.of_iso(generation.created_at)
    if not created then return nil end
    if seen.last and created > seen.last then seen.is_sorted = false end
    seen.last = created
    if created >= seen.earliest and created <= seen.latest and not seen.ids[generation.id] then
      found[#found + 1] = generation
    end
    seen.ids[generation.id] = true
  end
  return true
end

-- Every generation that may be the job; nil when the list was not read as far back as the job.
local function read_list(job, ask)
  local found, seen = {}, { ids = reconcile.claimed(job), is_sorted = true }
  seen.earliest, seen.latest = reconcile.earliest(job), reconcile.latest(job)
  if not seen.earliest then return nil end
  for page = 0, MAX_PAGES - 1 do
    local response = ask { path = "/generations", query = { limit = PAGE, offset = page * PAGE } }
    local body = response and response.status == 200 and response.json
    local list = type(body) == "table" and reconcile.list(body.generations)
    if not list or not take_page(list, seen, found) then return nil end
    if body.has_more == false or (seen.is_sorted and seen.last and seen.last < seen.earliest) then return found end
    if #list == 0 then return nil end
  end
  return nil
end

--- The generation of a job as `result_of` makes it, or that it is not there, or that nobody can say. `body` is what was sent,
--- `ask` sends one request.
function search.run(job, body, ask, result_of)
  local generations = read_list(job, ask)
  if not generations then return reconcile.unknown() end
  local candidates = {}
  for _, generation in ipairs(generations) do
    if is_same(job, body, generation) then candidates[#candidates + 1] = generation end
  end
  return reconcile.answer(candidates, result_of)
end

return search
