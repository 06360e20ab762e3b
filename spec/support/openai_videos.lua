-- Videos as OpenAI's clients see them, for specs: what each of them must have, and the answers to ask for them.
local assert = require "luassert"
local exact = require "spec.support.exact_json"

local videos = {}

local STATUS = { queued = true, in_progress = true, completed = true, failed = true }
local MEMBERS = {
  "completed_at", "created_at", "error", "expires_at", "id", "model", "object", "progress", "prompt", "providerd",
  "remixed_from_video_id", "seconds", "size", "status",
}

local function whole(value) return math.type(value) == "integer" or (type(value) == "number" and value % 1 == 0) end
local function whole_or_null(value) return value == exact.null or whole(value) end

--- Every member that OpenAI's clients count on, each with a value that they take.
function videos.check(video)
  local names = {}
  for name in pairs(video) do names[#names + 1] = name end
  table.sort(names)
  assert.same(MEMBERS, names)
  assert.equal("video", video.object)
  assert.truthy(video.id:match "^video_%x+%-%x+%-7%x+%-%x+%-%x+$", video.id)
  assert.truthy(STATUS[video.status], video.status)
  assert.truthy(whole(video.progress) and video.progress >= 0 and video.progress <= 100)
  assert.equal(video.status == "completed", video.progress == 100)
  assert.truthy(whole(video.created_at) and whole_or_null(video.completed_at) and whole_or_null(video.expires_at))
  assert.equal(video.status == "completed" or video.status == "failed", video.completed_at ~= exact.null)
  assert.equal(video.status == "completed", video.expires_at ~= exact.null)
  for _, name in ipairs { "model", "size", "seconds" } do assert.equal("string", type(video[name]), name) end
  assert.truthy(video.prompt == exact.null or type(video.prompt) == "string")
  assert.equal(exact.null, video.remixed_from_video_id)
  assert.equal(video.status == "failed", video.error ~= exact.null)
  if video.error ~= exact.null then
    assert.same({ "string", "string" }, { type(video.error.code), type(video.error.message) })
  end
  assert.equal(video.id, "video_" .. video.providerd.job_id)
  return video
end

--- GET of one, by the id of its job; checked.
function videos.get(host, job_id, headers)
  local answer = host:get("/v1/videos/video_" .. job_id, headers)
  assert.equal(200, answer.status, answer.body)
  local poll = answer.headers["openai-poll-after-ms"]
  local video = videos.check(answer.json)
  assert.equal(video.status == "queued" or video.status == "in_progress", poll ~= nil)
  assert.truthy(poll == nil or (tonumber(poll) >= 2000 and tonumber(poll) <= 5000))
  return video, answer
end

--- A page of the list; each of it checked.
function videos.list(host, query, headers)
  local answer = host:get("/v1/videos" .. (query or ""), headers)
  assert.equal(200, answer.status, answer.body)
  local page, ids = answer.json, {}
  assert.equal("list", page.object)
  for i, video in ipairs(page.data) do ids[i] = videos.check(video).id end
  assert.equal(ids[1] or exact.null, page.first_id)
  assert.equal(ids[#ids] or exact.null, page.last_id)
  return ids, page
end

function videos.delete(host, id, headers)
  return host:request("DELETE", "/v1/videos/" .. id, nil, headers)
end

--- An answer that is an error with this code.
function videos.refused(status, code, answer)
  assert.equal(status, answer.status, answer.body)
  assert.equal(code, answer.json.error.code, answer.body)
  assert.equal("string", type(answer.json.error.message))
  return answer.json.error
end

return videos
