-- The protocol's own conformance suite, and the Inspector's strict look at the tools. They need a newer Node than most machines
-- have, which comes from npm as well; where it cannot be had, they are pending.
local npm = require "spec.support.npm"
local support = require "spec.support.live"

local NODE = "./node_modules/node/bin/node"
local SUITE = "node_modules/@modelcontextprotocol/conformance/dist/index.js server --url %s --requirements %s"
local INSPECTOR = "node_modules/.bin/mcp-inspector --cli %s --transport http --protocol-era %s --method tools/list --strict"

-- What a server passes that has none of the suite's own tools, resources and prompts: a scenario, and how many of its checks
-- cannot be tried without them. All others call those.
local SCENARIOS = {
  ["2026-07-28"] = {
    ["server-stateless"] = 4, ["caching"] = 1, ["tools-list"] = 0, ["resources-list"] = 0, ["sep-2164-resource-not-found"] = 0,
    ["dns-rebinding-protection"] = 0, ["server-sse-multiple-streams"] = 0, ["http-header-validation"] = 0,
    ["input-required-result-missing-input-response"] = 0, ["input-required-result-unsupported-methods"] = 0,
    ["input-required-result-ignore-extra-params"] = 0, ["input-required-result-validate-input"] = 0,
  },
  ["2025-11-25"] = {
    ["server-initialize"] = 0, ["ping"] = 0, ["tools-list"] = 0, ["resources-list"] = 0, ["dns-rebinding-protection"] = 0,
    ["server-sse-multiple-streams"] = 0,
  },
}

describe("the conformance suite of MCP", function()
  local live, missing

  setup(function()
    missing = npm.install(npm.MCP_CONFORMANCE)
    if not missing then
      local works = npm.node(npm.MCP_CONFORMANCE, "--version", NODE)
      missing = not works and "npm's package node has no program for this machine" or nil
    end
    if missing then return end
    live = support.start()
    live:ended(live:job("stability")) -- so that there is a resource to read
  end)
  teardown(function()
    if live then live:remove() end
  end)

  local function url() return ("http://127.0.0.1:%d/mcp"):format(live.host.port) end

  for version, scenarios in pairs(SCENARIOS) do
    it("passes what needs no fixtures, in version " .. version, function()
      if missing then return pending(missing) end
      local _, output = npm.node(npm.MCP_CONFORMANCE, SUITE:format(url(), version), NODE)
      for name, most in pairs(scenarios) do
        local passed, failed = output:match("\n[^%w\n]+ " .. name:gsub("%p", "%%%0") .. ": (%d+) passed, (%d+) failed\n")
        assert.truthy(passed, name .. " was not run: " .. output:sub(-2000))
        assert.is_true(tonumber(failed) <= most, ("%s: %s passed, %s failed"):format(name, passed, failed))
      end
    end)
  end

  for _, era in ipairs { "auto", "modern", "legacy" } do
    it("has nothing to warn of in the tools, as the Inspector sees them in the era " .. era, function()
      if missing then return pending(missing) end
      local ended_well, output = npm.node(npm.MCP_CONFORMANCE, INSPECTOR:format(url(), era), NODE)
      assert.is_true(ended_well, output)
      local said = output:gsub('"warnings"', "") -- a member of what quote answers
      assert.is_nil(said:lower():find("warn", 1, true), output:sub(1, 2000))
      assert.truthy(output:find('"get_budget"', 1, true))
    end)
  end
end)
