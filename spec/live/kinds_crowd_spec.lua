-- Many clients submit to one provider under two kinds while the flags of the kinds are turned on and off: every answer is one
-- that some state of the flags in force meanwhile gives, all of it by the same state; every job is registered, and paid for once,
-- as what it was asked for.
-- SPEC_SLOW=1 (sanitizers, slow machines) turns less often.
local exact = require "spec.support.exact_json"
local socket = require "socket"
local swarms = require "spec.support.swarm"
local told_vendor = require "spec.support.told_vendor"

local CLIENTS, TURNS = 32, os.getenv("SPEC_SLOW") == "1" and 12 or 40
local TURN_SECONDS, LIVE_OF = 0.15, 8 -- one request of so many is live
local FLAGS = { image = "enable_public_image_providers", video = "enable_public_video_providers" }
local STATES = {
  { image = true, video = false }, { image = false, video = true }, { image = true, video = true },
  { image = false, video = false },
}
local FUNCTIONS = {
  submit = [[return function(payload, ctx)
    local response = ctx.request { method = "POST", path = "/pay/" .. ctx.kind, json = payload }
    return response and response.json or { status = "unknown" }
  end]],
}

local vendor, host, swarm

-- What was in force, in order: { state =, written =, known =, over = } in seconds.
local periods, answers

local function write_flags(state)
  for kind, flag in pairs(FLAGS) do vendor.settings.features[flag] = state[kind] end
  host:write("config/comfyvn.json", exact.encode(vendor.settings))
end

-- A client of the swarm: turns the flags, and notes from when to when a state was the only one.
local function turn_flags()
  for turn = 1, TURNS do
    local period = { state = STATES[turn % #STATES + 1], written = socket.gettime() }
    periods[#periods].over = period.written
    periods[#periods + 1] = period
    write_flags(period.state)
    repeat
      local same = true
      for kind in pairs(FLAGS) do
        local answer = swarm.ask(host.port, "GET", "/api/providers/" .. kind .. "/catalog")
        same = same and answer.json.feature.enabled == period.state[kind]
      end
    until same
    period.known = socket.gettime()
    swarm.pause(TURN_SECONDS)
  end
  periods.ended = true
end

local function submit(number)
  local count = number
  while not periods.ended do
    count = count + 1
    local kind, live = count % 2 == 0 and "image" or "video", count % LIVE_OF == 0 or count % LIVE_OF == 1
    local path, body = "/api/providers/" .. kind .. "/told/submit", { price = 0.0001, dry_run = not live }
    if count % 3 == 0 then path, body.provider = "/api/providers/" .. kind .. "/generate", "told" end
    local from = socket.gettime()
    local answer, why = swarm.ask(host.port, "POST", path, body)
    assert(answer, why)
    answers[#answers + 1] = { kind = kind, live = live, from = from, to = socket.gettime(), status = answer.status,
      json = exact.decode(answer.body) }
  end
end

-- What the flag of a kind may have been for an answer, as a set of booleans; and whether it was one state all the time.
local function possible(answer)
  local set, settled = {}, false
  for _, period in ipairs(periods) do
    if period.written <= answer.to and (not period.gone or period.gone >= answer.from) then
      set[period.state[answer.kind]] = true
    end
    settled = settled or (period.known <= answer.from and (not period.over or period.over >= answer.to))
  end
  return set, settled
end

local function has_flag_text(list, kind)
  return table.concat(list, "\n"):find("feature flag " .. FLAGS[kind] .. " is off", 1, true) ~= nil
end

-- All of the answer says the same of the flag.
local function check_answer(answer)
  local json, open = answer.json, answer.json.feature.enabled
  assert.equal(answer.kind, json.kind)
  assert.equal(FLAGS[answer.kind], json.feature.feature)
  assert.equal(open, json.execution_allowed)
  assert.equal(open, json.ok)
  assert.equal(open, json.reason == exact.null)
  assert.equal(not open, has_flag_text(json.warnings, answer.kind))
  assert.equal(not open, has_flag_text(json.live.missing, answer.kind))
  assert.equal(answer.live and open, not json.dry_run)
  assert.equal(answer.live and open and 202 or 200, answer.status)
end

-- All jobs of the registry: kind by id.
local function registered()
  local found, cursor = {}, ""
  repeat
    local page = host:get("/api/jobs/list?provider=told&limit=500" .. cursor).json
    for _, task in ipairs(page.tasks) do found[task.job_id] = task end
    cursor = type(page.next) == "string" and "&cursor=" .. page.next or nil
  until not cursor
  return found
end

describe("32 clients of one provider under two kinds, while the flags are turned", function()
  setup(function()
    vendor = told_vendor.start()
    vendor:tell { ["POST /pay/image"] = { each = true, json = { status = "done" } },
      ["POST /pay/video"] = { each = true, json = { status = "done" } } }
    host = vendor:live { functions = FUNCTIONS, members = 'kinds = { "image", "video" },', config = function(config)
      config.server.threads = 64
      config.features = { enable_public_image_providers = true, enable_public_video_providers = true }
      config.live.providers.told.rate_per_minute = 60000
    end }
    local now = socket.gettime()
    periods, answers = { { state = STATES[3], written = now, known = now } }, {}
    swarm = swarms.new()
    swarm:add(turn_flags)
    for i = 1, CLIENTS do swarm:add(submit, i * 5) end
    while swarm:is_busy() do swarm:step() end
    for i = 1, #periods - 1 do periods[i].gone = periods[i + 1].known end
  end)
  teardown(function() vendor:remove() end)

  it("get answers that a state of the flags gives, whole", function()
    local seen = {}
    for _, answer in ipairs(answers) do
      check_answer(answer)
      local set, settled = possible(answer)
      local open = answer.json.feature.enabled
      assert.truthy(set[open], ("%s is %s, which it never was"):format(answer.kind, open))
      if settled then seen[answer.kind .. tostring(open)] = (seen[answer.kind .. tostring(open)] or 0) + 1 end
      if settled then assert.is_nil(set[not open]) end
    end
    for _, name in ipairs { "imagetrue", "imagefalse", "videotrue", "videofalse" } do
      assert.truthy(seen[name] and seen[name] >= 20, name .. ": " .. tostring(seen[name]) .. " settled answers")
    end
  end)

  it("have each job registered as what it was asked for, once", function()
    local found, count = registered(), 0
    for _, answer in ipairs(answers) do
      local task = found[answer.json.job_id]
      assert.truthy(task, answer.json.job_id)
      assert.equal("public." .. answer.kind .. ".submit", task.kind)
      assert.equal(answer.json.dry_run, task.dry_run)
      found[answer.json.job_id] = nil
      count = count + 1
    end
    assert.equal(#answers, count)
    assert.is_nil(next(found))
  end)

  it("pay for each that was taken, once, under its kind", function()
    local taken = { image = 0, video = 0 }
    for _, kind in ipairs { "video", "image" } do -- each with its own flag alone
      write_flags { image = kind == "image", video = kind == "video" }
      for _, answer in ipairs(answers) do
        if answer.status == 202 and answer.kind == kind then
          taken[kind] = taken[kind] + 1
          vendor:becomes(answer.json.job_id, "done")
        end
      end
    end
    assert.is_true(taken.image > 0 and taken.video > 0)
    assert.same(taken, { image = vendor:seen "POST /pay/image", video = vendor:seen "POST /pay/video" })
  end)
end)
