-- The spec's smoke test, `providerd check`: it passes on a good host whatever the flags, sees what is wrong on a bad one, says
-- what it saw, and ends with 0, 1 or 64.
local cases = require "spec.support.check_cases"
local cjson = require "cjson"
local host = require "spec.support.host"
local providers = require "spec.support.providers"
local shell = require "spec.support.shell"
local socket = require "socket"

local PROFILE = "p3_providers_gpu_image_video"

-- Each provider is checked as each kind that it serves: how many are of these kinds?
local function count_served(...)
  local count = 0
  for _, provider in ipairs(providers) do
    for _, kind in ipairs { ... } do count = count + (providers.serves(provider, kind) and 1 or 0) end
  end
  return count
end

local SERVED, MEDIA = count_served("gpu", "image", "video"), count_served("image", "video")
local ALL_CHECKS = 3 + 2 * 3 + 7 * SERVED + MEDIA -- of the host, of each kind, of each provider, and generate

local function check(base, arguments, env)
  local words = { "check", "--profile", PROFILE, "--base", base }
  for _, argument in ipairs(arguments or {}) do words[#words + 1] = argument end
  return host.run(words, { env = env })
end

local function check_json(base)
  local code, out = check(base, { "--json" })
  return code, cjson.decode(out)
end

-- Scripts as they are shipped, each with the helpers of its folder, as files of a home.
local function shipped(...)
  local files = {}
  for _, name in ipairs { ... } do
    local folder = "providers/" .. name:match("_(.*)")
    local command = "ls providers/%s.lua && if [ -d %s ]; then find %s -name '*.lua'; fi"
    local paths = shell.output(command:format(name, folder, folder))
    for path in paths:gmatch("%S+") do files[path] = assert(shell.read(path)) end
  end
  return files
end

local function base_of(served)
  return "http://127.0.0.1:" .. served.port
end

local function text(value)
  return value == cjson.null and "" or value
end

local function failures(report)
  local names, details = {}, {}
  for _, one in ipairs(report.checks) do
    if not one.ok then
      names[#names + 1] = ("%s/%s/%s"):format(text(one.kind), text(one.provider), one.name)
      details[#details + 1] = one.detail
    end
  end
  return names, details
end

local function find(report, name)
  for _, one in ipairs(report.checks) do
    if one.name == name then return one end
  end
end

local function with_host(options, use)
  local served = host.start(options)
  local ok, problem = pcall(use, served)
  served:remove()
  if not ok then error(problem, 0) end
end

local EVERYTHING_ON = {
  config = {
    features = { enable_public_gpu = true, enable_public_image_providers = true, enable_public_video_providers = true },
  },
  secrets = {
    runpod = { api_key = "rpa_check" }, hf_inference_endpoints = { api_token = "hf_check" }, replicate = { api_key = "r8_check" },
    modal = { token_id = "wk-check", token_secret = "ws-check" }, stability = { api_key = "sk-check" }, fal = { api_key = "a:b" },
    runway = { api_key = "key_check" }, pika = { api_key = "c:d" }, luma = { api_key = "luma-check" },
  },
}

describe("check", function()
  describe("of a good host", function()
    for _, state in ipairs {
      { name = "flags off", allowed = 0 },
      { name = "flags on, without credentials", options = { config = EVERYTHING_ON.config }, allowed = 0 },
      { name = "flags on, with credentials", options = EVERYTHING_ON, allowed = SERVED },
      { name = "the umbrella flag on", options = { config = { features = { enable_public_image_video = true } },
        secrets = EVERYTHING_ON.secrets }, allowed = MEDIA },
    } do
      it("passes with " .. state.name, function()
        with_host(state.options, function(served)
          local code, report = check_json(base_of(served))
          assert.same({}, (failures(report)))
          assert.equal(0, code)
          assert.is_true(report.ok)
          assert.same({ ALL_CHECKS, 0, ALL_CHECKS, PROFILE, base_of(served) },
            { report.passed, report.failed, #report.checks, report.profile, report.base })
          local allowed = 0
          for _, one in ipairs(report.checks) do
            if one.name == "health" and one.detail:find(" is on, credentials present", 1, true) then allowed = allowed + 1 end
          end
          assert.equal(state.allowed, allowed)
        end)
      end)
    end

    it("prints a line for each check, and a summary", function()
      with_host(nil, function(served)
        local code, out, err = check(base_of(served))
        assert.equal(0, code)
        assert.equal("", err)
        assert.matches("\nok    image/fal +submit +job %x+%-%x+%-7%x+%-%x+%-%x+, about %$0.%d+, upstream POST https://queue", out)
        assert.matches(("\n%d checks: %d passed, 0 failed\n$"):format(ALL_CHECKS, ALL_CHECKS), out)
        assert.is_nil(out:find("\27", 1, true), "colours belong on a terminal only")
        local _, lines = out:gsub("\nok  ", "")
        assert.equal(ALL_CHECKS, lines)
      end)
    end)

    it("looks at the connections of the host's process", function()
      with_host(nil, function(served)
        local _, report = check_json(base_of(served))
        local detail = find(report, "traffic").detail
        assert.matches("^process " .. served.pid .. ", looked at %d+ times: nothing beyond this machine$", detail)
      end)
    end)

    it("finds its job among many newer ones", function()
      with_host(nil, function(served)
        for _ = 1, 60 do served:post("/api/providers/image/fal/submit", { prompt = "another" }) end
        assert.equal(0, (check(base_of(served))))
      end)
    end)

    it("gives the API key that the host wants", function()
      local digest = "e9547242bd6a03bfab1da509ab0da8b70381955dbb0f3a36d0fe292e58a9b9e9" -- of smoke-test-key
      with_host({ config = { server = { api_keys = { { name = "ci", sha256 = digest } } } } }, function(served)
        local base = base_of(served)
        assert.equal(0, (check(base, { "--key", "smoke-test-key" })))
        assert.equal(0, (check(base, nil, { PROVIDERD_API_KEY = "smoke-test-key" })))
        local code, out = check(base)
        assert.equal(1, code)
        assert.matches("FAIL  gpu +catalogue +status 401 instead of 200: .*; the host wants an API key: give it with %-%-key",
          out)
        code, out = check(base, { "--key", "wrong-key" })
        assert.equal(1, code)
        assert.is_nil(out:find("wrong-key", 1, true))
      end)
    end)
  end)

  describe("of a host with scripts of its own", function()
    for _, script in ipairs {
      { name = "that does not load", text = "return {\n  id = = 1,\n}\n", fails = { "//scripts" },
        says = "providers/image_own.lua:2:" },
      { name = "that fails in submit", fails = { "image/own/submit", "image/own/task", "image/own/list", "image/own/poll_job",
        "image/own/generate" }, says = "status 500 instead of 200: .*providers/image_own.lua:11: on purpose",
        text = [[
return {
  id = "own", kind = "image", docs_url = "https://own.example/docs", pricing_url = "https://own.example/pricing",
  last_checked = "2026-11-23",
  capabilities = { modes = { "text-to-image" } },
  pricing = { as_of = "2026-11-23", source = "https://own.example/pricing" },
  base_url = "https://own.example",
  health = function()
    return { ok = true }
  end,
  submit = function()
    error("on purpose")
  end,
  poll = function()
    return { status = "done" }
  end,
}
]] },
    } do
      it("fails with one " .. script.name, function()
        local files = shipped("gpu_modal", "image_fal", "video_luma")
        files["providers/image_own.lua"] = script.text
        with_host({ files = files }, function(served)
          local code, report = check_json(base_of(served))
          local names, details = failures(report)
          assert.equal(1, code)
          assert.is_false(report.ok)
          assert.same(script.fails, names)
          assert.matches(script.says, details[1])
        end)
      end)
    end
  end)

  describe("of a host that answers wrongly", function()
    local good, proxy

    -- A proxy has no order of its own to end in.
    local function remove_proxy(one)
      one:stop()
      one:remove()
    end

    setup(function()
      good = host.start { files = shipped("gpu_replicate", "image_fal", "video_luma") }
      proxy = host.start { program = "lua5.4", arguments = { "spec/support/altering_proxy.lua", good.port } }
    end)
    teardown(function()
      if proxy then remove_proxy(proxy) end
      if good then good:remove() end
    end)

    it("passes when nothing is changed on the way, whose process it does not take for the host", function()
      local code, report = check_json(base_of(proxy))
      assert.equal(0, code)
      assert.matches("^not visible from here: port %d+ is held by lua5.4", find(report, "traffic").detail)
    end)

    for number, case in ipairs(cases) do
      it("sees " .. case.wrong, function()
        local code, report = check_json(("%s/%d"):format(base_of(proxy), number))
        local names, details = failures(report)
        assert.same(case.fails, names)
        assert.is_truthy(details[1]:find(case.says, 1, true), details[1])
        assert.equal(1, code)
        assert.is_false(report.ok)
      end)
    end

    it("sees a connection beyond this machine", function()
      local program = proxy.folder .. "/providerd-proxy"
      assert(os.execute("cp -L \"$(command -v lua5.4)\" '" .. program .. "'"))
      local talker = host.start { program = program, arguments = { "spec/support/altering_proxy.lua", good.port, "outgoing" } }
      local connected = talker:output():find("connected beyond", 1, true)
      local code, report = check_json(base_of(talker))
      remove_proxy(talker)
      if not connected then return pending("this machine has no route beyond itself") end
      assert.equal(1, code)
      assert.same({ "//traffic" }, (failures(report)))
      assert.matches("is connected to 192%.0%.2%.1:9 %(udp%)", find(report, "traffic").detail)
    end)
  end)

  describe("without a host", function()
    local function closed_port()
      local server = assert(socket.bind("127.0.0.1", 0))
      local port = select(2, server:getsockname())
      server:close()
      return port
    end

    it("says that it cannot reach it, and what to do", function()
      local base = "http://127.0.0.1:" .. closed_port()
      local code, out = check(base)
      assert.equal(1, code)
      assert.matches("FAIL  host +reachable +cannot reach " .. base .. ": .*Is the host running%?", out)
      local report
      code, report = check_json(base)
      assert.equal(1, code)
      assert.same({ "//reachable" }, (failures(report)))
    end)

    for name, case in pairs {
      ["no profile"] = { { "--base", "http://127.0.0.1:1" }, "%-%-profile is missing; the known one is " .. PROFILE },
      ["another profile"] = { { "--profile", "p4", "--base", "http://127.0.0.1:1" },
        "unknown profile; the known one is " .. PROFILE },
      ["no base"] = { { "--profile", PROFILE }, "%-%-base is missing" },
      ["a base without a scheme"] = { { "--profile", PROFILE, "--base", "127.0.0.1:8001" }, "must be an address such as" },
      ["a base of another protocol"] = { { "--profile", PROFILE, "--base", "file:///etc" }, "must be an address such as" },
      ["a base with a password"] = { { "--profile", PROFILE, "--base", "http://u:p@127.0.0.1:1" }, "must not hold a user" },
      ["an option without its value"] = { { "--profile" }, "a value is missing after %-%-profile" },
      ["an unknown option"] = { { "--quick" }, "unknown argument %-%-quick" },
      ["a key with a line break"] = { { "--profile", PROFILE, "--base", "http://127.0.0.1:1", "--key", "a\nX: b" },
        "must be plain text" },
    } do
      it("refuses " .. name, function()
        local words = { "check" }
        for _, argument in ipairs(case[1]) do words[#words + 1] = argument end
        local code, out, err = host.run(words)
        assert.equal(64, code)
        assert.equal("", out)
        assert.matches(case[2], err)
        assert.matches("usage: providerd check %-%-profile " .. PROFILE, err)
      end)
    end
  end)
end)
