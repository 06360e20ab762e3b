-- The exchanges that were recorded between clients of MCP and other servers, sent again: what clients rely on.
local case = require "spec.support.mcp_case"
local mcp = require "spec.support.mcp"
local start = require("spec.support.host").start

-- What this host does not have: tasks, sessions, questions pushed into a stream. And what needs jobs and quotes of its own:
-- that stands in other specs.
local ELSEWHERE = { "^tasks: ", "^sessions: ", "tasks: ", "^stdio", "quote", "submit", "get_job waits", "closes the stream",
  "after the stream was closed", "cancel_job", "read of an artifact", "search_models", "listen", "requestState that nobody" }

local function is_here(recorded)
  for _, pattern in ipairs(ELSEWHERE) do
    if recorded.name:find(pattern) then return false end
  end
  return true
end

describe("a recorded exchange", function()
  local host

  setup(function() host = start { config = { features = { enable_public_image_providers = true } } } end)
  teardown(function() host:remove() end)

  local count = 0
  for _, recorded in ipairs(case.all()) do
    if is_here(recorded) then
      count = count + 1
      it("is answered as clients need it: " .. recorded.name, function() case.check(recorded, case.send(host, recorded)) end)
    end
  end

  it("is one of many", function() assert.is_true(count >= 45, count) end)

  it("that is a tool's has a text that is the same as its structured content, in each era", function()
    for _, agent in ipairs { mcp.modern(host), mcp.legacy(host) } do
      local found = agent:call "get_budget"
      assert.equal(200, found.status)
      assert.equal(agent.modern and "complete" or nil, found.result.resultType)
    end
  end)
end)
