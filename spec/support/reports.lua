-- Runs cases of what users of the vendors have reported (spec/reports/*.json) through the doors that they used. Add a case, not
-- code. `provider` and `name`; `how` is one of:
--   dry-run          `body` is sent to the provider's submit; `expect` is compared with the answer
--   vendor-answer    the same, live, with a vendor that gives `answers` (spec/support/scripted_vendor.lua); `expect` is compared
--                    with what poll says of the job until it fits, `asked` with how often the vendor got a request ("GET ...":
--                    at least, or 0: never). `cancel`: the job is cancelled once it has been asked for
--   delivery         what the script makes of a webhook: `delivery` and `answers` (spec/answers says their form)
--   webhook          a head that promises `bytes` is sent to `path`
-- `{case}` stands for a word of the case's own. In what is expected null means absent, and a text that begins with ~ is found in
-- the other.
local exact = require "spec.support.exact_json"
local live = require "spec.support.live"
local start = require("spec.support.host").start

local reports = {}

--- The cases of a file of spec/reports.
function reports.read(name)
  local file = assert(io.open("spec/reports/" .. name .. ".json", "rb"))
  local cases = exact.decode(file:read("a"))
  file:close()
  return cases
end

-- Comparing ---------------------------------------------------------------------------------------------------------------

local function is_null(value)
  return value == nil or value == exact.null
end

local compare

local function compare_tables(wanted, got, path, found)
  if type(got) ~= "table" then
    found[#found + 1] = ("%s: wanted an object, got %s"):format(path, tostring(got))
    return
  end
  if exact.is_array(wanted) and #wanted ~= #got then
    found[#found + 1] = ("%s: wanted %d items, got %s"):format(path, #wanted, exact.encode(got):sub(1, 600))
    return
  end
  for name, value in pairs(wanted) do compare(value, got[name], path .. "." .. name, found) end
end

function compare(wanted, got, path, found)
  if type(wanted) == "table" then return compare_tables(wanted, got, path, found) end
  local fits = wanted == got or (wanted == exact.null and is_null(got))
  if type(wanted) == "number" and type(got) == "number" then fits = math.abs(wanted - got) < 1e-9 end
  if type(wanted) == "string" and wanted:sub(1, 1) == "~" then
    local text = type(got) == "table" and exact.encode(got) or tostring(got)
    fits = text:find(wanted:sub(2), 1, true) ~= nil
  end
  if not fits then found[#found + 1] = ("%s: wanted %s, got %s"):format(path, tostring(wanted), tostring(got):sub(1, 300)) end
end

--- What of `wanted` is not so in `got`: a list of texts.
function reports.differences(wanted, got)
  local found = {}
  compare(wanted, got, "", found)
  return found
end

-- Bodies ------------------------------------------------------------------------------------------------------------------

local words = 0

--- The case with a word of its own in place of {case}.
function reports.with_word(case)
  words = words + 1
  local word = ("case%dx"):format(words)
  local own = exact.decode((exact.encode(case):gsub("{case}", word)))
  own.word = word
  return own
end

-- Doors -------------------------------------------------------------------------------------------------------------------

local Doors = {}
Doors.__index = Doors

--- A host that is live with a scripted vendor.
function reports.start()
  local self = setmetatable({}, Doors)
  self.vendor = start { program = "/usr/bin/lua5.4", arguments = { "spec/support/scripted_vendor.lua" }, config = "",
    env = { LUA_PATH = os.getenv("LUA_PATH"), LUA_CPATH = os.getenv("LUA_CPATH") } }
  local config = live.config("http://127.0.0.1:" .. self.vendor.port)
  config.server.max_body_bytes = 20000000
  self.host = start { config = config, secrets = live.SECRETS }
  return self
end

function Doors:remove()
  self.host:remove()
  self.vendor:kill()
  self.vendor:remove()
end

function Doors.path(_, id, verb)
  return "/api/providers/" .. live.KINDS[id] .. "/" .. id .. "/" .. verb
end

-- One request whose answer has each member once.
function Doors:post(path, body)
  local answer = self.host:post(path, body)
  answer.json = answer.body ~= "" and exact.decode(answer.body) or nil
  return answer
end

function Doors:dry_run(case)
  local answer = self:post(self:path(case.provider, "submit"), case.body)
  answer.json.http_status = answer.status
  return reports.differences(case.expect, answer.json)
end

function Doors:webhook(case)
  local answer = self.host:post(case.path, "{", { ["Content-Length"] = case.bytes })
  answer.json.http_status = answer.status
  return reports.differences(case.expect, answer.json)
end

--- Tells the vendor of a case and submits its job.
function Doors:submit(case)
  self.vendor:post("/control", { case = case.word, answers = case.answers })
  case.body.dry_run = false
  local answer = self:post(self:path(case.provider, "submit"), case.body)
  case.job_id = answer.json and answer.json.job_id
  if answer.status ~= 202 then case.problem = answer.body end
end

local function asked_enough(case, seen)
  local found = {}
  for line, wanted in pairs(case.asked or {}) do
    local count = 0
    for _, request in ipairs(seen) do
      if request == line or request:match("^[^?]*") == line then count = count + 1 end
    end
    if wanted == 0 and count > 0 or count < wanted then
      found[#found + 1] = ("%s: wanted %d times, got %d of %s"):format(line, wanted, count, exact.encode(seen))
    end
  end
  return found
end

local IS_OPEN = { queued = true, running = true, unknown = true }

-- Looks at a job once: what is still not so, and whether that can change.
function Doors:look(case, seen)
  -- One that the vendor has not taken is not there to be asked for.
  local job = self:post(self:path(case.provider, "poll"), { job_id = case.job_id, refresh = case.is_sent }).json
  case.is_sent = not is_null(job.id)
  case.looks = (case.looks or 0) + 1
  if case.cancel and case.looks == 2 then self:post("/api/jobs/" .. case.job_id .. "/cancel", {}) end
  local found = reports.differences(case.expect, job)
  if case.cancel and case.looks < 3 then found[#found + 1] = "not cancelled yet" end
  for _, text in ipairs(asked_enough(case, seen[case.word] or {})) do found[#found + 1] = text end
  if #found > 0 then found[#found + 1] = exact.encode(job):sub(1, 1500) end
  return found, IS_OPEN[job.status] == true
end

--- Submits the jobs of all cases and looks at them until they are as expected, or have ended, or the time is over.
--- `case.problem` says what is wrong.
function Doors:settle(cases, seconds)
  for _, case in ipairs(cases) do self:submit(case) end
  local socket = require "socket"
  local deadline = socket.gettime() + (seconds or 120)
  local open
  repeat
    open = 0
    local seen = self.vendor:get("/seen").json
    for _, case in ipairs(cases) do
      if case.job_id and not case.settled then
        local found, can_change = self:look(case, seen)
        case.settled = #found == 0 or case.ended -- what it asked last is seen by the second look
        case.ended = not can_change
        case.problem = #found > 0 and table.concat(found, "\n") or nil
        open = open + (case.settled and 0 or 1)
      end
    end
    if open > 0 then socket.sleep(0.05) end
  until open == 0 or socket.gettime() > deadline
end

return reports
