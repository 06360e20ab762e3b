-- The recorded exchanges of videos (spec/contracts/openai.json): what clients send, but for ids and keys, is answered as it is
-- recorded there. Every case of a path of videos is accounted for here, so that a new one is not passed over.
local cjson = require "cjson"
local exact = require "spec.support.exact_json"
local hosts = require "spec.support.host"
local keys = require "spec.support.keys"
local live_support = require "spec.support.live"
local mime = require "mime"
local shell = require "spec.support.shell"
local videos = require "spec.support.openai_videos"

local RECORDED_ID = "video_01a212da-b143-7000-ae30-310e60fc3ccb"
local BOUNDARY = "----formdata-undici-012345678901"

-- Requests -----------------------------------------------------------------------------------------------------------

local function form(fields)
  local parts = {}
  for _, field in ipairs(fields) do
    local head = ('--%s\r\nContent-Disposition: form-data; name="%s"'):format(BOUNDARY, field.name)
    if field.filename then
      head = ('%s; filename="%s"\r\nContent-Type: %s'):format(head, field.filename, field.content_type)
    end
    parts[#parts + 1] = head .. "\r\n\r\n" .. (field.base64 and mime.unb64(field.base64) or field.value) .. "\r\n"
  end
  return table.concat(parts) .. "--" .. BOUNDARY .. "--\r\n"
end

-- Sends a recorded request about this video. A chunked one is sent whole: chunks are the business of spec/api.
local function send(host, case, id)
  local request, headers = case.request, {}
  for name, value in pairs(request.headers) do
    value = value:gsub("%$KEY", keys.key "all"):gsub("%$BOUNDARY", BOUNDARY)
    if name ~= "transfer-encoding" then headers[name] = value end
  end
  local body = request.form and form(request.form) or request.body
  if type(body) == "string" and id then body = body:gsub(RECORDED_ID:gsub("%p", "%%%0"), id) end
  local path = request.url:gsub("^%$BASE", "/v1"):gsub(RECORDED_ID:gsub("%p", "%%%0"), id or "")
  return host:request(request.method, path, body, headers)
end

-- Expectations: of a host, an id, the answer, the case ------------------------------------------------------------------

local function is_video(status)
  return function(answer, case)
    assert.equal(200, answer.status, answer.body)
    assert.equal(status, videos.check(answer.json).status)
    for _, field in ipairs(case.request.form or {}) do
      if answer.json[field.name] ~= nil then assert.equal(field.value, answer.json[field.name], field.name) end
    end
  end
end

-- As it is recorded, but for the texts.
local function is_recorded_error(answer, case)
  local want = case.response.body.error
  local got = videos.refused(case.response.status, want.code or "video_not_ready", answer)
  assert.equal(want.type, got.type)
  if want.code then assert.equal(want.param or exact.null, got.param) end
  assert.equal("application/json", answer.headers["content-type"])
end

local function is_refused(status, code)
  return function(answer) videos.refused(status, code, answer) end
end

local function is_film(answer)
  assert.same({ 200, "video/mp4", "ftyp" }, { answer.status, answer.headers["content-type"], answer.body:sub(5, 8) })
end

local function is_list(answer)
  assert.equal(200, answer.status, answer.body)
  assert.equal("list", answer.json.object)
  assert.truthy(#answer.json.data <= 2 and answer.json.first_id and answer.json.last_id and answer.json.has_more ~= nil)
  for _, video in ipairs(answer.json.data) do videos.check(video) end
end

local function is_deleted(answer, case, id)
  local want = {}
  for name, value in pairs(case.response.body) do want[name] = value end
  want.id = id
  assert.same(want, answer.json)
end

-- Which videos the cases are about: `on` names one of those that setup() makes.
local CASES = {
  ["videos.create minimal is multipart too"] = { is_refused(400, "missing_required_parameter") },
  ["videos.create input_reference from a read stream"] = { is_video "completed" },
  ["videos.create input_reference as image_url"] = { is_video "completed" },
  ["videos.create input_reference as file_id"] = { is_recorded_error },
  ["videos.retrieve queued"] = { is_video "queued", on = "queued" },
  ["videos.retrieve completed"] = { is_video "completed", on = "completed" },
  ["videos.retrieve failed"] = { is_video "failed", on = "failed" },
  ["videos.list with a query"] = { is_list, on = "completed" },
  ["videos.delete"] = { is_deleted, on = "deletable" },
  ["videos.downloadContent"] = { is_film, on = "completed" },
  ["videos.downloadContent before it is ready"] = { is_recorded_error, on = "queued" },
  ["videos.downloadContent follows a redirect (1 of 2)"] = { is_film, on = "completed" }, -- without one
  ["videos.remix is JSON"] = { is_refused(400, "unsupported_operation"), on = "completed" },
  ["videos.edit by id"] = { is_refused(400, "unsupported_operation"), on = "completed" },
  ["videos.extend by id"] = { is_refused(400, "unsupported_operation"), on = "completed" },
  ["videos.remix where the provider cannot"] = { is_recorded_error, on = "completed" },
  ["own fields in a multipart form"] = { is_video "queued", on = "queued" },
  ["a size that the provider cannot make"] = { is_recorded_error },
  ["dry run: videos.create"] = { is_video "completed" },
  ["video whose outcome is unknown, while the host still looks for it"] = { is_video "in_progress", on = "sought" },
  ["video whose outcome only the operator can tell"] = { is_video "failed", on = "lost" },
  ["deleting a video that is being made"] = { is_recorded_error, on = "queued" },
  ["tanstack video job"] = { is_video "completed" },
  ["tanstack video url (1 of 2)"] = { is_video "completed", on = "completed" },
  ["tanstack video url (2 of 2)"] = { is_film, on = "completed" },
  ["python videos.create_and_poll (1 of 3)"] = { is_video "completed" },
  ["python videos.create_and_poll (2 of 3)"] = { is_video "queued", on = "queued" },
  ["python videos.create_and_poll (3 of 3)"] = { is_video "completed", on = "completed" },
  ["python videos.poll with a status that OpenAI does not know"] = { is_video "queued", on = "queued" },
  ["n8n video generate (1 of 3)"] = { is_video "completed" },
  ["n8n video generate (2 of 3)"] = { is_video "completed", on = "completed" },
  ["n8n video generate (3 of 3)"] = { is_film, on = "completed" },
  ["videos.create as JSON"] = { is_video "completed" },
}

local function recorded()
  local found = {}
  for _, case in ipairs(cjson.decode(shell.read "spec/contracts/openai.json")) do
    local path = case.request.url
    if path:find("$BASE/videos", 1, true) == 1 then found[#found + 1] = case end
  end
  return found
end

local function configure(config)
  config.server = { threads = 16, api_keys = { keys.entry("all") } }
  config.openai = { models = { ["sora-2"] = "runway/gen4.5" } }
  return config
end

describe("a recorded exchange of videos", function()
  local dry, hosts_of, ids = nil, {}, {}

  local function live_video(fault, provider, status)
    local live = live_support.start { hurry = 10, simulate = { "--fault", fault }, config = configure }
    hosts_of[#hosts_of + 1] = live
    local mine = keys.headers "all"
    local answer = live.host:post(live:path(provider, "submit"), live_support.body(provider), mine)
    local job_id = answer.json.job_id
    live.host:eventually(function()
      return live.host:get("/api/jobs/status/" .. job_id, mine).json.status == status
    end)
    return live.host, "video_" .. job_id
  end

  -- { host, id }
  local function dry_video()
    local answer = dry:post("/v1/videos", { model = "runway/gen4.5", prompt = "a cat" }, keys.headers "all")
    return { dry, answer.json.id }
  end

  setup(function()
    dry = hosts.start { config = configure {} }
    ids.completed, ids.deletable = dry_video(), dry_video()
    ids.failed = { live_video("runway:moderated:1", "runway", "error") }
    ids.sought = { live_video("luma:reset_before:1:POST", "luma", "unknown") }
    ids.lost = { live_video("runway:reset_after:1:POST", "runway", "unknown") }
    local live = live_support.start { config = function(config)
      configure(config)
      config.live.providers.luma.rate_per_minute, config.live.providers.luma.max_concurrent = 1, 1
    end, simulate = { "--fault", "luma:never_ending:1" } }
    hosts_of[#hosts_of + 1] = live
    local wish = { model = "luma/ray-2", prompt = "a cat", seconds = "5", size = "1280x720", max_cost_usd = 2 }
    live.host:post("/live/v1/videos", wish, keys.headers "all")
    ids.queued = { live.host, live.host:post("/live/v1/videos", wish, keys.headers "all").json.id }
  end)
  teardown(function()
    dry:remove()
    for _, live in ipairs(hosts_of) do live:remove() end
  end)

  for _, case in ipairs(recorded()) do
    it("is answered: " .. case.name, function()
      local expectation = assert(CASES[case.name], "nothing is said here about it")
      local host, id = table.unpack(expectation.on and ids[expectation.on] or { dry })
      local answer = send(host, case, id)
      expectation[1](answer, case, id)
      assert.truthy(answer.headers["x-request-id"])
      for name, value in pairs(case.response.headers) do
        if name:find "^x%-providerd" then assert.equal(value, answer.headers[name], name) end
      end
    end)
  end
end)
