-- Starts real hosts for specs, each on a home and a port of its own, talks to them as a user would, and ends them.
--
--   local host = require("spec.support.host").start {
--     config = { features = { enable_public_gpu = true } },   -- over the defaults below; text is written as it is
--     secrets = { fal = { api_key = "..." } },                 -- the file gets mode 0600; text is written as it is
--     env = { RUNPOD_API_KEY = "..." },                        -- all that the host sees beside PATH and the like
--     scripts = true,                                          -- its own copy of providers/ and lua/ in the home, to be edited
--     files = { ["providers/x.lua"] = "..." },                 -- further files of the home
--     program = "build/bench/baseline", arguments = { ... },   -- another program that says where it listens
--   }
--   host:post("/api/providers/image/fal/submit", { prompt = "a cat" }).json.job_id
--   host:remove()                                              -- at the end: stops it, removes the home
--
-- With REGISTRY=postgresql in the environment a host whose config names no registry has a PostgreSQL database of its own
-- (host.database, spec/support/postgres.lua) in place of data/registry.db.
--
-- The program is build/providerd, or what the environment variable PROVIDERD names. Nothing here waits for less than it must
-- under a sanitizer on a slow machine: deadlines are long, and polled.
local exact = require "spec.support.exact_json"
local http = require "spec.support.http"
local postgres = require "spec.support.postgres"
local recorder = require "spec.support.openapi_recorder"
local shell = require "spec.support.shell"
local socket = require "socket"

local Host = {}
Host.__index = Host

local PROGRAM = os.getenv("PROVIDERD") or "build/providerd"
local START_SECONDS, STOP_SECONDS, EVENTUALLY_SECONDS = 120, 120, 120
local CONFIG = "config/comfyvn.json"
local DEFAULTS = { server = { threads = 16 } }
local PASSED_ON = {
  "PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "LD_PRELOAD", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS",
  "LSAN_OPTIONS",
}

local function write_file(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  assert(file:close())
end

local function temporary_folder()
  local pipe = assert(io.popen("mktemp -d"))
  local path = pipe:read("l")
  pipe:close()
  return assert(path, "mktemp failed")
end

-- Often at first; what takes longer is looked at less often, since each look costs the host and us some milliseconds.
local function poll(seconds, test)
  local began, passed = socket.gettime(), 0
  repeat
    local value = test()
    if value then return value end
    socket.sleep(math.min(0.05, 0.01 + passed / 50))
    passed = socket.gettime() - began
  until passed > seconds
  return nil
end

-- Writes `from` over `into`; tables of `from` are copied, so that nothing of one host gets into the next one's.
local function merge(into, from)
  for name, value in pairs(from) do
    if type(value) == "table" and not exact.is_array(value) then
      into[name] = merge(type(into[name]) == "table" and into[name] or {}, value)
    else
      into[name] = value
    end
  end
  return into
end

-- Processes -----------------------------------------------------------------------------------------------------------

-- What is still to be ended and removed when the specs end, whichever way they do.
local leftovers = setmetatable({ folders = {}, processes = {} }, {
  __gc = function(left)
    for process in pairs(left.processes) do os.execute("kill -KILL " .. process.pid .. " 2>/dev/null") end
    for folder in pairs(left.folders) do os.execute("rm -rf " .. shell.quote(folder)) end
  end,
})

local function new_folder()
  local path = temporary_folder()
  leftovers.folders[path] = true
  return path
end

local function remove_folder(folder)
  shell.run("rm -rf " .. shell.quote(folder))
  leftovers.folders[folder] = nil
end

local function environment_words(env)
  local words = { "env -i" }
  for _, name in ipairs(PASSED_ON) do
    local value = os.getenv(name)
    if value and not (env and env[name]) then words[#words + 1] = shell.quote(name .. "=" .. value) end
  end
  for name, value in pairs(env or {}) do words[#words + 1] = shell.quote(name .. "=" .. value) end
  return table.concat(words, " ")
end

local runs = 0

-- Starts the program in the background. A shell waits for it and writes down how it ended.
local function spawn(folder, arguments, env, program)
  runs = runs + 1
  local run = ("%s/run-%d"):format(folder, runs)
  local words = { environment_words(env), shell.quote(program or PROGRAM) }
  for _, argument in ipairs(arguments) do words[#words + 1] = shell.quote(argument) end
  local after = " >R.out 2>R.err & echo $! >R.pid; wait $!; echo $? >R.new; mv R.new R.exit"
  after = after:gsub("R%.", function() return shell.quote(run .. ".") end)
  local script = table.concat(words, " ") .. after
  shell.run("setsid sh -c " .. shell.quote(script) .. " </dev/null >/dev/null 2>&1 &")
  local pid = poll(START_SECONDS, function() return (shell.read(run .. ".pid") or ""):match("^(%d+)\n") end)
  assert(pid, "the program was not started")
  local process = { run = run, pid = pid }
  leftovers.processes[process] = true
  return process
end

local function output(process)
  return shell.read(process.run .. ".out") or ""
end

local function errors(process)
  return shell.read(process.run .. ".err") or ""
end

-- The exit code once it has ended: 128 + signal when it was killed.
local function exit_code(process)
  local code = tonumber(shell.read(process.run .. ".exit"))
  if code then leftovers.processes[process] = nil end
  return code
end

local function signal(process, name)
  return os.execute("kill -" .. name .. " " .. process.pid .. " 2>/dev/null")
end

local function wait_for_exit(process, seconds)
  return poll(seconds or STOP_SECONDS, function() return exit_code(process) end)
end

-- A home ----------------------------------------------------------------------------------------------------------------

local function as_text(value)
  return type(value) == "table" and exact.encode(value) or value
end

-- The text of a configuration that names the home's database too, if it is one and names none.
local function with_registry(self, text)
  local ok, config = pcall(exact.decode, text)
  if not self.database or not ok or type(config) ~= "table" or exact.is_array(config) then return text end
  local url = '"url":' .. exact.encode(self.database.url)
  local registry = config.registry
  if registry == nil then
    local member = ('{"registry":{%s}%s'):format(url, next(config) and "," or "")
    return (text:gsub("{", function() return member end, 1))
  end
  if type(registry) ~= "table" or registry.url ~= nil then return text end
  return (text:gsub('"registry"%s*:%s*{', function(head) return head .. url .. (next(registry) and "," or "") end, 1))
end

-- Whether it is to have a database of its own.
local function wants_database(self, config)
  if not self.documented or os.getenv("REGISTRY") ~= "postgresql" or config == "" then return false end
  return type(config) ~= "table" or not (config.registry and config.registry.url)
end

local function write_home(self, options)
  shell.run("mkdir -p " .. shell.quote(self.home .. "/config"))
  local config = options.config or {}
  if type(config) == "table" then config = merge(merge({}, DEFAULTS), config) end
  if wants_database(self, config) then self.database = postgres.database() end
  if config ~= "" then self:write(CONFIG, as_text(config)) end
  if options.secrets then self:write("config/comfyvn.secrets.json", as_text(options.secrets)) end
  if options.scripts then shell.run("cp -r providers lua " .. shell.quote(self.home .. "/")) end
  for path, text in pairs(options.files or {}) do self:write(path, text) end
end

--- Replaces a file of the home at once (written beside it, then renamed), as editors do. A secrets file gets mode 0600,
--- or `mode`.
function Host:write(path, text, mode)
  local target = self.home .. "/" .. path
  local folder, name = target:match("^(.*)/([^/]*)$")
  local temporary = folder .. "/." .. name .. ".new"
  if path == CONFIG then text = with_registry(self, text) end
  mode = mode or (name:find("secrets.json", 1, true) and "600" or nil)
  if not io.open(folder .. "/.") then shell.run("mkdir -p " .. shell.quote(folder)) end
  write_file(temporary, text)
  if mode then shell.run("chmod " .. mode .. " " .. shell.quote(temporary)) end
  assert(os.rename(temporary, target))
end

--- Writes a file of the home in place: whoever reads meanwhile may see half of it.
function Host:write_in_place(path, text)
  write_file(self.home .. "/" .. path, text)
end

function Host:read(path)
  return shell.read(self.home .. "/" .. path)
end

function Host:delete(path)
  assert(os.remove(self.home .. "/" .. path))
end

function Host:chmod(path, mode)
  shell.run("chmod " .. mode .. " " .. shell.quote(self.home .. "/" .. path))
end

local function remove_home(self)
  if self.database then self.database:remove() end
  remove_folder(self.folder)
end

-- Starting and ending -----------------------------------------------------------------------------------------------------

local function answers(port)
  local ok, answer = pcall(http.request, port, "GET", "/healthz")
  return ok and answer.status == 200
end

local IN_USE = "is already in use"
local STARTS = 5

local function launch_once(self)
  local arguments = self.arguments or { "serve", "--home", self.home, "--listen", self.listen }
  self.process = spawn(self.folder, arguments, self.env, self.program)
  self.pid, self.port, self.ended = self.process.pid, nil, false
  poll(START_SECONDS, function()
    local port = tonumber(output(self.process):match("listens on http://[%w%.]+:(%d+)\n"))
    if port and answers(port) then self.port = port end
    return self.port or exit_code(self.process)
  end)
  if self.port then return nil end
  signal(self.process, "KILL")
  return output(self.process) .. errors(self.process)
end

-- An address that was drawn beforehand (spec.support.live), or that a former run had, may be somebody else's for a moment: of
-- what runs beside this the kernel gives ports away too, for connections. That says nothing of the host, so it is tried again.
local function launch(self)
  local problem
  for _ = 1, STARTS do
    problem = launch_once(self)
    if not problem or self.listen:find(":0$") or not problem:find(IN_USE, 1, true) then break end
    socket.sleep(0.5)
  end
  if problem then error("the host did not start: " .. problem, 0) end
  recorder.host(self.port, self.documented)
  return self
end

local module = {}

--- Starts a host; see the top of this file. options.listen: instead of 127.0.0.1:0.
function module.start(options)
  options = options or {}
  local self = setmetatable({ env = options.env, listen = options.listen or "127.0.0.1:0" }, Host)
  self.program, self.arguments = options.program, options.arguments
  self.documented = not (self.program or self.arguments and self.arguments[1] ~= "serve")
  for path in pairs(options.files or {}) do self.documented = self.documented and not path:find("^openapi/") end
  self.folder = new_folder()
  self.home = self.folder .. "/home"
  write_home(self, options)
  local ok, problem = pcall(launch, self)
  if not ok then
    remove_home(self)
    error(problem, 0)
  end
  return self
end

--- Runs the program with these arguments to its end: exit code, standard output, standard error. nil after options.seconds.
function module.run(arguments, options)
  options = options or {}
  local folder = new_folder()
  local process = spawn(folder, arguments, options.env)
  local code = wait_for_exit(process, options.seconds)
  if not code then
    signal(process, "KILL")
    wait_for_exit(process)
  end
  local out, err = output(process), errors(process)
  remove_folder(folder)
  return code, out, err
end

-- It has ended, and its port may be somebody else's from now on: a simulator's, whose answers are in no document.
local function leave_port(self)
  self.ended = true
  if self.port then recorder.host(self.port, false) end
end

--- Ends it with SIGTERM, as an operator would. Returns the exit code.
function Host:stop()
  if exit_code(self.process) == nil then signal(self.process, "TERM") end
  leave_port(self)
  return (assert(wait_for_exit(self.process), "the host did not stop"))
end

--- Stops it, and is an error when it did not end well: another exit code than 0, or a sanitizer's report.
function Host:ends_well()
  local code = self:stop()
  local err = errors(self.process)
  local report = err:find("Sanitizer", 1, true) or err:find("runtime error:", 1, true)
  if code ~= 0 or report then error(("it ended with %d: %s"):format(code, err:sub(report or 1, (report or 1) + 4000)), 2) end
end

--- Waits until it has ended by itself, at most so long: its exit code, or nil.
function Host:ends(seconds)
  local code = wait_for_exit(self.process, seconds)
  self.ended = code ~= nil
  return code
end

--- Ends it with SIGKILL.
function Host:kill()
  signal(self.process, "KILL")
  leave_port(self)
  return (assert(wait_for_exit(self.process), "the host was not killed"))
end

function Host:signal(name)
  return signal(self.process, name)
end

--- Starts it again on the same home, once it has ended. The port is a new one.
function Host:start_again()
  assert(exit_code(self.process), "it still runs")
  return launch(self)
end

--- Stops it if it runs, and removes the home. An error when it did not end well, or ended by
--- itself: a sanitizer may have found something.
function Host:remove()
  local code, problem = 0, nil
  if not self.ended then
    if exit_code(self.process) == nil then signal(self.process, "TERM") end
    code, problem = wait_for_exit(self.process), errors(self.process)
    if not code then signal(self.process, "KILL") end
  end
  leave_port(self)
  remove_home(self)
  if code ~= 0 then error(("the host ended with %s: %s"):format(code or "SIGKILL", problem), 2) end
end

-- Talking -------------------------------------------------------------------------------------------------------------------

--- One request. A table as body is sent as JSON. Returns { status, headers, body, json }.
function Host:request(method, path, body, headers)
  return http.request(self.port, method, path, body, headers)
end

function Host:get(path, headers)
  return self:request("GET", path, nil, headers)
end

function Host:post(path, body, headers)
  return self:request("POST", path, body, headers)
end

--- A connection that stays open; see spec/support/http.lua.
function Host:connect()
  return http.connect(self.port)
end

--- Bytes as they are; see http.raw.
function Host:raw(bytes, options)
  return http.raw(self.port, bytes, options)
end

function Host:log()
  return self:read("logs/server.log") or ""
end

--- What it wrote to standard output and standard error since it was started last.
function Host:output()
  return output(self.process), errors(self.process)
end

local function poll_test(test, seconds)
  local problem = "it returned nothing true"
  local value = poll(seconds, function()
    local ok, result = pcall(test)
    if ok then return result end
    problem = result
  end)
  if not value then error(problem, 3) end
  return value
end

--- Calls test() until it returns something true, which is returned. A failed assertion in it means: not yet. `seconds`: where it
-- may take longer than usual. It is no bound: a machine that is busy has two minutes for everything.
function Host.eventually(_, test, seconds)
  local value = poll_test(test, math.max(seconds or 0, EVENTUALLY_SECONDS))
  return value
end

--- The same where being late is wrong: something else would make it true later.
function Host.within(_, seconds, test)
  local value = poll_test(test, seconds)
  return value
end

return module
