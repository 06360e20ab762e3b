-- With the shipped configuration no connection leaves the machine, whatever is asked: the kernel is the witness (strace). Flags
-- and credentials are added on top, because even then only live switches may open anything.
local providers = require "spec.support.providers"
local shell = require "spec.support.shell"
local start = require("spec.support.host").start

local PROGRAM = os.getenv("PROVIDERD") or "build/providerd"

-- -D: the host keeps its own process id, so that it can be stopped as ever. LeakSanitizer does not work under strace.
local WRAPPER = [[
#!/bin/sh
export ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0"
exec strace -D -f -qq -e trace=connect,bind -e signal=none -o %s %s "$@"
]]

-- Everything that a client can ask of a provider as one of its kinds, dry and asked to be live.
local function ask_everything_of(host, provider)
  local function ask(verb, body) return host:post(providers.path(provider, verb), body) end
  assert.equal(200, host:get(provider.folder .. "/catalog").status)
  for _, dry_run in ipairs { true, false } do
    local request = providers.body(provider, nil, { dry_run = dry_run })
    assert.equal(200, ask("health", { dry_run = dry_run }).status)
    assert.equal(200, ask("preview", request).status)
    local answer = ask("submit", request)
    assert.equal(200, answer.status, answer.body)
    assert.equal(200, ask("poll", { job_id = answer.json.job_id }).status)
  end
end

local function ask_everything(host)
  for _, provider in ipairs(providers) do
    for _, kind in ipairs(provider.kinds) do ask_everything_of(host, providers.as(provider, kind)) end
  end
  assert.equal(200, host:get("/api/jobs/all").status)
  assert.equal(403, host:post("/api/modder/hooks/webhooks", { url = "https://93.184.215.14/hook" }).status)
  assert.equal(202, host:post("/api/modder/hooks/test").status)
  local body = { prompt = "p", callback_url = "https://93.184.215.14/hook" }
  assert.equal(200, host:post("/api/providers/image/fal/submit", body).status)
end

-- "connect(9, {sa_family=AF_INET, sin_port=htons(443), sin_addr=inet_addr("1.2.3.4")}, 16)": lines that go beyond this machine.
local function outgoing(trace)
  local lines = {}
  for line in trace:gmatch("[^\n]*connect%([^\n]*") do
    local near = line:find("AF_UNIX", 1, true) or line:find('inet_addr("127.', 1, true) or line:find('"::1"', 1, true)
    if not near then lines[#lines + 1] = line end
  end
  return lines
end

describe("the host opens no connection beyond the machine", function()
  local CASES = {
    { name = "with the shipped configuration", options = { config = assert(shell.read("config/comfyvn.json")) } },
    { name = "with flags and credentials, live off", options = {
      config = { features = { enable_public_gpu = true, enable_public_image_video = true } },
      secrets = (function()
        local secrets = {}
        for _, provider in ipairs(providers) do secrets[provider.id] = provider.secret end
        return secrets
      end)() } },
  }

  for _, case in ipairs(CASES) do
    it(case.name, function()
      if not os.execute("strace -o /dev/null true 2>/dev/null") then
        pending("this machine does not let strace look at processes")
        return
      end
      local trace = os.tmpname()
      local wrapper = os.tmpname()
      local script = assert(io.open(wrapper, "w"))
      script:write(WRAPPER:format(trace, PROGRAM))
      script:close()
      assert(os.execute("chmod 755 " .. wrapper))
      case.options.program = wrapper
      local host = start(case.options)
      ask_everything(host)
      host:remove()
      local text = assert(shell.read(trace))
      os.remove(trace)
      os.remove(wrapper)
      assert.is_truthy(text:find("bind(", 1, true), "strace saw nothing, not even the listening socket")
      assert.same({}, outgoing(text))
    end)
  end
end)
