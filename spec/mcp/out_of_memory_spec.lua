-- Memory runs out within a tool of MCP, at one allocation or another: the answer is right, or says that memory is short, or the
-- host ends and is there again (spec/api/out_of_memory_spec.lua has what that means). Never half an answer.
local cjson = require "cjson"
local memory = require "spec.support.out_of_memory"
local starved = require "spec.support.starved_host"
local start = require("spec.support.host").start

local SLOW = os.getenv "SPEC_SLOW"
local MOST = 100000 -- no call has as many
local UUID = "%x%x%x%x%x%x%x%x%-%x%x%x%x%-7%x%x%x%-%x%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x"

-- The last is how many allocations are passed over in between: some calls have thousands.
local CASES = {
  { "search_models", { kind = "image", query = "flux", limit = 25 }, 1009 },
  { "describe_model", { provider = "fal", model = "fal-ai/flux/schnell" }, 211 },
  { "describe_model", { provider = "runpod" }, 499 },
  { "get_job", { job_id = "JOB", wait_seconds = 1 }, 17 },
  { "list_jobs", { dry_runs = true }, 17 },
  { "cancel_job", { job_id = "JOB" }, 17 },
  { "get_budget", {}, 17 },
}

describe("without memory", function()
  local fault, host, job_id

  setup(function()
    if SLOW then return end
    fault = memory.new()
    host = start { env = fault:env() }
    job_id = host:post("/api/providers/image/fal/submit", { prompt = "x" }).json.job_id
  end)
  teardown(function()
    if not host then return end
    fault:disarm()
    host:remove()
    fault:remove()
  end)

  local function ask(case)
    local arguments = {}
    for name, value in pairs(case[2]) do arguments[name] = value == "JOB" and job_id or value end
    return host:post("/mcp",
      { jsonrpc = "2.0", id = 1, method = "tools/call", params = { name = case[1], arguments = arguments } })
  end

  local function is_refusal(answer)
    return answer.status ~= 200 or answer.json.error or answer.json.result.isError
  end

  for _, many in ipairs { 1, math.huge } do
    for _, case in ipairs(CASES) do
      it(("%s %s is right, or says why not, %s"):format(case[1], cjson.encode(case[2]), many == 1 and "once" or "from then on"),
        function()
          if SLOW then return pending("the sanitizers' allocator cannot be replaced") end
          local right = ask(case).body
          local first, met, refused, ends, silent = 1, true, 0, 0, 0
          while met and first < MOST do
            fault:arm(first, many)
            local answered, answer = pcall(ask, case)
            local _
            _, met = fault:disarm()
            if answered and is_refusal(answer) then
              refused = refused + 1
              assert.is_truthy(answer.body:find("memory", 1, true), answer.body)
            elseif answered then
              assert.equal((right:gsub(UUID, "ID")), (answer.body:gsub(UUID, "ID")))
            end
            local again, ended = starved.ask_again(host, many, function() return ask(case) end)
            if ended then ends = ends + 1 elseif not answered then silent = silent + 1 end
            assert.equal(right, again.body)
            first = first + case[3]
          end
          assert.is_true(first < MOST)
          assert.is_true(ends + refused > 0)
          assert.is_true(silent <= 3, silent)
        end)
    end
  end
end)
