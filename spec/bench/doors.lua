-- doors.lua - the doors' part of `make bench`: what a dry run costs by each, beside the REST submit that all of them ask for.
--
-- A picture's placeholder is drawn for who wants its bytes, and not for who wants a URL: the first shows what drawing costs,
-- the second what the door does.
local Host = require "spec.support.host"
local cjson = require "cjson"
local measure = require "spec.bench.measure"
local report = require "spec.bench.report"
local shell = require "spec.support.shell"

local SECONDS = tonumber(os.getenv("BENCH_SECONDS") or 2)
local ROUNDS = tonumber(os.getenv("BENCH_ROUNDS") or 3)
local CONNECTIONS = { 1, 16 }

local function tool(name, arguments)
  return cjson.encode { jsonrpc = "2.0", id = 1, method = "tools/call", params = { name = name, arguments = arguments } }
end

local REQUESTS = {
  { name = "REST submit", path = "/api/providers/image/fal/submit", body = '{"prompt":"a lighthouse at dusk, %d"}' },
  { name = "OpenAI image, as a URL", path = "/v1/images/generations",
    body = '{"model":"fal/fal-ai/flux/schnell","prompt":"a lighthouse at dusk, %d","response_format":"url"}' },
  { name = "OpenAI image, its bytes", path = "/v1/images/generations",
    body = '{"model":"fal/fal-ai/flux/schnell","prompt":"a lighthouse at dusk, %d"}' },
  { name = "MCP quote", path = "/mcp", body = tool("quote", { provider = "fal", prompt = "a lighthouse at dusk, %d" }) },
  { name = "MCP get_budget", path = "/mcp", body = tool("get_budget", {}) },
}

-- Medians over rounds in which all take turns, so that a machine that gets slower meanwhile is no one's gain.
local function rounds(host, connections)
  local figures = {}
  for _ = 1, ROUNDS do
    for i, request in ipairs(REQUESTS) do
      local one = measure.load(host.port, connections, SECONDS,
        { method = "POST", path = request.path, body = request.body })
      figures[i] = figures[i] or { rate = {}, p50 = {}, p99 = {} }
      for name, list in pairs(figures[i]) do list[#list + 1] = one[name] end
    end
  end
  return figures
end

local bench = {}

--- Prints a table.
function bench.cost()
  local host = Host.start { config = assert(shell.read("config/comfyvn.json")), scripts = true }
  for _, connections in ipairs(CONNECTIONS) do
    local figures = rounds(host, connections)
    local submit = measure.median(figures[1].p50)
    report.say("%-26s %6s %11s %9s %9s %8s", "", "conns", "requests/s", "p50 us", "p99 us", "p50 of")
    for i, request in ipairs(REQUESTS) do
      local p50 = measure.median(figures[i].p50)
      report.say("%-26s %6d %11.0f %9.0f %9.0f %7.2fx", request.name, connections, measure.median(figures[i].rate), p50,
        measure.median(figures[i].p99), p50 / submit)
    end
  end
  host:remove()
end

return bench
