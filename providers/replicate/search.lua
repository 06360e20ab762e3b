-- search.lua - finds a prediction whose create got no answer, in the account's list (newest first, 100 a page).
--
-- A webhook's address is different for each job and decides alone; without one, a prediction is the job's when it is the only one
-- of its time that runs the same model with the same input.

local check = require "check"
local data_uri = require "data_uri"
local media_request = require "media_request"
local predictions = require "replicate.predictions"
local reconcile = require "reconcile"
local requests = require "replicate.requests"
local times = require "times"
local url_parts = require "url_parts"

local search = {}

local MAX_PAGES = 30
-- Entries may lack what was sent: so many are looked at one by one.
local MAX_LOOKS = 20

-- A large file was uploaded, and stands in the input by its address.
local function is_upload(mine, theirs)
  return data_uri.is(mine) and type(theirs) == "string" and string.find(string.sub(theirs, 1, 300), "/v1/files/", 1, true) ~= nil
end

-- What a request of the family said may have gone out in another type, where the vendor's schema asked for it: 8 as "8" or "8s".
local function is_sent_as(mine, theirs)
  if is_upload(mine, theirs) then return true end
  if type(mine) == "table" or type(theirs) == "table" or theirs == nil then return false end
  local one, other = tostring(mine), tostring(theirs)
  if #one > 32 or #other > 32 then return false end
  return one == other or one == other .. "s" or other == one .. "s"
end

-- What a job runs, against what a prediction ran.
local function same_model(payload, prediction)
  if check.is_given(payload.deployment) then return prediction.deployment == payload.deployment end
  local named = check.is_given(payload.version) and payload.version or payload.model or payload.model_version
  if type(named) ~= "string" then return false end
  local colon = string.find(named, ":", 1, true)
  local model, version = string.sub(named, 1, (colon or #named + 1) - 1), colon and string.sub(named, colon + 1) or nil
  if not string.find(model, "/", 1, true) then model, version = nil, named end
  if version == "latest" then model, version = payload.model, "" end
  if version and version ~= "" then return prediction.version == version end
  return model ~= nil and prediction.model == model
end

local function is_same(job, prediction)
  local payload = job.payload or {}
  local own_hook = check.is_given(payload.webhook) and payload.webhook or nil
  local hook = own_hook or job.webhook_url
  if hook and check.is_given(prediction.webhook) and prediction.webhook ~= hook then return false end
  if hook and not own_hook and prediction.webhook == hook then return true end
  if not same_model(payload, prediction) then return false end
  if media_request.is(payload) then return reconcile.same(media_request.comparable(payload), prediction.input, is_sent_as) end
  return reconcile.same(payload.input, prediction.input, is_upload)
end

-- The entries of a page that may be the job, added to `found`; true when the page reaches back before the job.
local function take_page(entries, earliest, latest, claimed, found)
  for _, entry in ipairs(entries) do
    local created = type(entry) == "table" and times.of_iso(entry.created_at)
    if not created then return nil end
    if created < earliest then return true end
    if created <= latest and predictions.is(entry) and not claimed[entry.id] then
      found[#found + 1] = entry
      claimed[entry.id] = true -- a page may repeat what the one before had
    end
  end
  return false
end

-- The cursor of the next page, out of its whole URL.
local function cursor_of(body)
  local parts = url_parts.parse(body.next)
  local query = "&" .. (parts and parts.query or "")
  local _, last = string.find(query, "&cursor=", 1, true)
  return last and string.match(string.sub(query, last + 1), "^[^&]+") or nil
end

local function decoded(text)
  return (string.gsub(text, "%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

-- Every prediction from `earliest` on that no other job has; nil when the list could not be read to its end.
local function list(job, ctx, earliest)
  local found, claimed, cursor = {}, reconcile.claimed(job), nil
  for _ = 1, MAX_PAGES do
    local response = requests.send(ctx, { path = "/predictions", query = cursor and { cursor = decoded(cursor) } or nil })
    local body = requests.is_success(response) and response.json
    local entries = type(body) == "table" and reconcile.list(body.results)
    if not entries then return nil end
    local is_over = take_page(entries, earliest, reconcile.latest(job), claimed, found)
    if is_over == nil then return nil end
    if is_over or not check.is_given(body.next) then return found end
    cursor = cursor_of(body)
    if not cursor then return nil end
  end
  return nil
end

-- The entries that may be the job as far as they tell.
local function likely(job, entries)
  local kept = {}
  for _, entry in ipairs(entries) do
    if type(entry.input) ~= "table" or is_same(job, entry) then kept[#kept + 1] = entry end
  end
  return kept
end

-- The whole of a prediction whose entry does not say what was sent; nil when it cannot be had.
local function whole(prediction, job, ctx)
  local needs_hook = job.webhook_url and not check.is_given(prediction.webhook)
  if type(prediction.input) == "table" and not needs_hook then return prediction end
  local response = requests.send(ctx, { path = "/predictions/" .. url_parts.segment(prediction.id) })
  return requests.is_success(response) and predictions.is(response.json) and response.json or nil
end

--- The prediction of a job as its result, or that it is not there, or that nobody can say. `state`: what submit would have kept.
function search.run(job, ctx, state)
  local earliest = reconcile.earliest(job)
  local entries = earliest and list(job, ctx, earliest)
  if not entries then return reconcile.unknown() end
  local candidates = {}
  entries = likely(job, entries)
  if #entries > MAX_LOOKS then return reconcile.unknown() end
  for _, entry in ipairs(entries) do
    local prediction = whole(entry, job, ctx)
    if not prediction then return reconcile.unknown() end
    if is_same(job, prediction) then candidates[#candidates + 1] = prediction end
  end
  return reconcile.answer(candidates, function(prediction) return predictions.read(prediction, state) end)
end

return search
