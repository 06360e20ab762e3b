-- Proves that no request holds the one engine for long because of its size: blank texts, texts of escapes, lists and objects
-- of as many items as a body
-- may have, each where a script reads it. What is measured is the engine thread's CPU time.
local hosts = require "spec.support.host"
local shell = require "spec.support.shell"

local TRIES = 3
local SECONDS = os.getenv("SPEC_SLOW") and 30 or 0.6

local function times(count, item)
  return (item .. ","):rep(count - 1) .. item
end

local function members(count)
  local list = {}
  for index = 1, count do list[index] = ('"member%d":%d'):format(index, index) end
  return "{" .. table.concat(list, ",") .. "}"
end

local URL = '"https://a.example/x.png"'
local VALUES = {
  ["a blank text"] = '"' .. ("\\n"):rep(7700000) .. '"',
  ["blanks and a word"] = '"' .. (" "):rep(7500000) .. "x" .. ("\\t"):rep(3500000) .. '"',
  ["a long text"] = '"' .. ("x "):rep(7700000) .. '"',
  ["escapes"] = '"' .. ("\\u00e9"):rep(2500000) .. '"',
  ["a data URI"] = '"data:image/png;base64,' .. ("A"):rep(15000000) .. '"',
  ["a list of words"] = "[" .. times(200000, '"word"') .. "]",
  ["a list of URLs"] = "[" .. times(200000, URL) .. "]",
  ["a list of objects"] = "[" .. times(50000, '{"uri":' .. URL .. "}") .. "]",
  ["60,000 members"] = members(60000),
}
local PLACES = {
  { "video/pika", { "prompt", "images", "storyboard", "parameters" } }, { "video/luma", { "image", "parameters" } },
  { "video/runway", { "prompt", "prompts" } }, { "image/fal", { "prompt" } }, { "image/stability", { "prompt" } },
}
local JOBS = {
  { "runpod", '{"endpoint_id":%s,"input":{}}' },
  { "runpod", '{"endpoint_id":"abc","input":%s}' },
  { "replicate", '{"model":"a/b","input":%s}' },
  { "hf_inference_endpoints", '{"url":%s,"inputs":"x"}' },
  { "hf_inference_endpoints", '{"url":"https://abc.us-east-1.aws.endpoints.huggingface.cloud","inputs":%s}' },
}

local function names_of(map)
  local names = {}
  for name in pairs(map) do names[#names + 1] = name end
  table.sort(names)
  return names
end

describe("a request of many megabytes", function()
  local host, stat

  setup(function()
    host = hosts.start { config = { features = { enable_public_gpu = true, enable_public_image_video = true } } }
    stat = shell.output("grep -l '^engine' /proc/" .. host.pid .. "/task/*/comm"):match("%S+"):gsub("comm$", "stat")
  end)
  teardown(function() host:remove() end)

  local function engine_seconds()
    local user, system = shell.read(stat):match("^.*%) %a" .. (" %S+"):rep(10) .. " (%d+) (%d+)")
    return (user + system) / 100
  end

  local function timed_post(path, body)
    local before = engine_seconds()
    local answer = host:post(path, body)
    return answer, engine_seconds() - before
  end

  -- On a busy machine the same work counts as more time, so what took too long is asked again: what takes long takes it always.
  local function check(name, path, body)
    local answer, spent = timed_post(path, body)
    for _ = 2, TRIES do
      if spent >= SECONDS then
        local _, again = timed_post(path, body)
        spent = math.min(spent, again)
      end
    end
    local said = ("%s: %d: %s"):format(name, answer.status, answer.body:sub(1, 200))
    -- copies of a text have a limit of their own
    local fits = answer.status ~= 500 or not answer.body:find("over its memory limit", 1, true)
    assert.is_true(answer.status == 200 or answer.status == 400 or not fits, said)
    assert.is_true(spent < SECONDS, ("%s: the engine took %.2f s"):format(name, spent))
  end

  for _, place in ipairs(PLACES) do
    it("does not hold the engine: " .. place[1], function()
      for _, field in ipairs(place[2]) do
        for _, name in ipairs(names_of(VALUES)) do
          local before = field == "prompt" and "" or '"prompt":"x",'
          local body = ('{%s"%s":%s}'):format(before, field, VALUES[name])
          check(field .. ", " .. name, "/api/providers/" .. place[1] .. "/submit", body)
        end
      end
    end)
  end

  it("does not hold the engine: gpu", function()
    for _, job in ipairs(JOBS) do
      for _, name in ipairs(names_of(VALUES)) do
        local body = '{"job":' .. job[2]:format(VALUES[name]) .. "}"
        check(job[1] .. ", " .. job[2] .. ", " .. name, "/api/providers/gpu/public/" .. job[1] .. "/submit", body)
      end
    end
  end)
end)
