-- A host whose memory runs out (out_of_memory.lua): how it answers, how it ends, and what is registered after the next start.
local assert = require "luassert"

local starved = {}

local EXIT = 71

-- A connection to a server that lacked memory is given up, and is not there until it is made anew.
local function is_without_connection(detail)
  return os.getenv("REGISTRY") == "postgresql" and detail:find("the registry cannot be reached", 1, true) ~= nil
end

--- It says that there is no memory, and nothing else.
function starved.assert_no_memory(answer)
  assert.equal(503, answer.status, answer.body)
  assert.equal("application/problem+json", answer.headers["content-type"])
  assert.equal(503, answer.json.status)
  local detail = answer.json.detail
  assert.is_true(detail:find("out of memory", 1, true) ~= nil or is_without_connection(detail), answer.body)
end

local function count(text, word)
  return select(2, text:gsub(word:gsub("%p", "%%%0"), ""))
end

--- Whether the host has run out of memory and ended: then it has said so, once, or once for each thread that did.
function starved.has_ended(host, how_many, seconds)
  local code = host:ends(seconds)
  if not code then return false end
  local _, errors = host:output()
  local told, logged = count(errors, "host.memory"), count(host:log(), "host.memory")
  assert.equal(EXIT, code, errors)
  assert.is_true(told >= 1 and (how_many > 1 or told == 1), errors)
  local new = logged - (host.told or 0)
  assert.is_true(new >= 1 and new <= told, errors) -- of two at once the first may end the process before the second is in the log
  host.told = logged
  return true
end

--- Asks while no allocation fails, of a host that may be about to end, or has ended: then it is started again.
function starved.ask_again(host, how_many, ask)
  local answered, answer = pcall(ask)
  if answered then return answer, false end
  assert.is_true(starved.has_ended(host, how_many, 10), answer)
  host:start_again()
  return ask(), true
end

--- The ids of all jobs in the registry, and of all submits in the log of events: how often each is there.
function starved.registered(host)
  local jobs, submits, path = {}, {}, "/api/jobs/list?limit=500"
  local next = ""
  repeat
    local page = host:get(path .. next).json
    for _, task in ipairs(page.tasks) do jobs[task.job_id] = (jobs[task.job_id] or 0) + 1 end
    next = type(page.next) == "string" and "&cursor=" .. page.next
  until not next
  next = ""
  repeat
    local page = host:get("/api/events/history?limit=500" .. next).json
    for _, event in ipairs(page.events) do
      if event.type:find("%.submit$") then submits[event.subject] = (submits[event.subject] or 0) + 1 end
    end
    next = type(page.next) == "string" and "&after=" .. page.next
  until not next
  return jobs, submits
end

return starved
