-- A live create of OpenAI's API while one allocation fails, wherever that is, by a client that repeats as SDKs do: it pays once.
local memory = require "spec.support.out_of_memory"
local socket = require "socket"
local starved = require "spec.support.starved_host"
local support = require "spec.support.live"

local ROUNDS, STEP, REPEATS = 40, 17, 4

local function is_repeated(answer)
  return answer.status >= 500 or answer.status == 408 or answer.status == 409 or answer.status == 429
    or answer.headers["x-should-retry"] == "true"
end

local function ask(live, round, count)
  local body = { model = "fal/flux", prompt = ("round %d."):format(round), size = "512x512", max_cost_usd = 0.05 }
  return live.host:post("/live/v1/images/generations", body, { ["X-Stainless-Retry-Count"] = tostring(count) })
end

-- How often each round was paid for.
local function paid_by_round(live)
  local paid = {}
  for _, request in ipairs(live.simulator:get("/journal?paid=1").json.requests) do
    paid[request.prompt] = (paid[request.prompt] or 0) + 1
  end
  return paid
end

describe("a create without memory", function()
  it("is repeated as SDKs do, and paid for once", function()
    if os.getenv("SPEC_SLOW") then return pending("the sanitizers' allocator cannot be replaced") end
    local fault = memory.new()
    local live = support.start { env = fault:env(), hurry = 20, simulate = { "--job-time", "100" } }
    local refused, ends = 0, 0
    local function load_libcurl() -- while it is loaded, libraries that it needs end the process in ways of their own
      live.host:post(live:path("fal", "health"), { dry_run = false })
    end
    load_libcurl()
    for round = 1, ROUNDS do
      fault:arm(1 + (round - 1) * STEP, 1)
      local answered, answer = pcall(ask, live, round, 0)
      fault:disarm()
      for count = 1, REPEATS do
        if answered and not is_repeated(answer) then break end
        refused = refused + 1
        if not answered and starved.has_ended(live.host, 1, 1) then
          ends = ends + 1
          live.host:start_again()
          load_libcurl()
        end
        socket.sleep(0.05)
        answered, answer = pcall(ask, live, round, count)
      end
      assert.is_true(answered and (answer.status == 200 or answer.status == 424), answered and answer.body or answer)
    end
    local paid, rounds = paid_by_round(live), 0
    for prompt, times in pairs(paid) do
      assert.equal(1, times, prompt)
      rounds = rounds + 1
    end
    assert.is_true(rounds > ROUNDS * 0.9, rounds .. " rounds were paid for")
    assert.is_true(refused > 5, refused .. " were refused, " .. ends .. " ends")
    live:remove()
    fault:remove()
  end)
end)
