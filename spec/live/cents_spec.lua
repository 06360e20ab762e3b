-- Dollars become micro-dollars at one place: the same amount is the same wherever it is read, to the last cent.
local exact = require "spec.support.exact_json"
local told_vendor = require "spec.support.told_vendor"

local function micro(usd)
  return math.floor(usd * 1e6 + 0.5)
end

-- Those cents whose product with a million is a hair too small, and every 97th.
local function cents()
  local list = {}
  for cent = 1, 100000 do
    local usd = tonumber(("%.2f"):format(cent / 100))
    if math.floor(usd * 1e6) ~= micro(usd) or cent % 97 == 0 then list[#list + 1] = ("%.2f"):format(usd) end
  end
  return list
end

local ODD = { "2.01", "4.10", "16.40", "0.29", "1.13", "8.20", "1.001019", "0.000001", "0.000251", "999.99" }

describe("an amount in dollars", function()
  local vendor, host
  setup(function()
    vendor = told_vendor.start()
    host = vendor:live { config = function(config) config.live.budget_usd = { per_day = 100000, per_month = 100000 } end }
  end)
  teardown(function() vendor:remove() end)

  local function configure(per_day)
    vendor.settings.live.providers.told.budget_usd = { per_day = exact.wide(per_day), per_month = 100000 }
    host:write("config/comfyvn.json", exact.encode(vendor.settings))
    host:eventually(function()
      for _, provider in ipairs(host:get("/api/budget").json.providers) do
        if provider.provider == "told" then return micro(provider.day.limit_usd) == micro(tonumber(per_day)) end
      end
    end)
  end

  it("as a price and as the most that a job may cost is one and the same: a price may be what was allowed", function()
    configure "0.000001"
    local connection = host:connect()
    local function refused(price, most)
      connection:send("POST", vendor.path .. "/submit",
        ('{"dry_run":false,"price":%s,"max_cost_usd":%s}'):format(price, most))
      return connection:receive()
    end
    local list = cents()
    math.randomseed(7)
    for _ = 1, 300 do list[#list + 1] = ("%.6f"):format(math.random(2, 99999999) / 1e6) end
    for i, usd in ipairs(list) do
      if i % 900 == 0 then connection:close() connection = host:connect() end
      local answer = refused(usd, usd)
      assert.equal(402, answer.status, answer.body) -- only the budget is short
      local asked = answer.json.detail:match("([%d.]+) USD are asked for")
      assert.equal(micro(tonumber(usd)), micro(tonumber(asked)), usd)
    end
    for _, usd in ipairs(ODD) do -- a micro-dollar less is too little
      local less = ("%.6f"):format((micro(tonumber(usd)) - 1) / 1e6)
      if tonumber(less) > 0 then
        local answer = refused(usd, less)
        assert.equal(200, answer.status)
        assert.is_truthy(answer.body:find("more than max_cost_usd allows", 1, true), usd)
      end
    end
    connection:close()
  end)

  it("as a budget, as a vendor's bill and as the operator's word is kept to the micro-dollar", function()
    local spent = 0
    for _, usd in ipairs(ODD) do
      local amount = micro(tonumber(usd))
      configure(("%.6f"):format((spent + amount) / 1e6))
      local done = { status = "done", cost = { usd = tonumber(usd), source = "vendor" } }
      vendor:tell { ["POST /pay"] = { each = true, json = done } }
      local answer = vendor:submit { price = tonumber(usd) }
      assert.equal(202, answer.status, answer.body)
      assert.equal(402, vendor:submit({ price = 0.000001 }).status)
      assert.equal(amount, micro(vendor:becomes(answer.json.job_id, "done").money.spent_usd))
      spent = spent + amount
      configure(("%.6f"):format((spent + 1) / 1e6))
      vendor:tell { ["POST /pay"] = { hang_up = true } }
      local lost = vendor:job(0.000001)
      vendor:becomes(lost, "unknown")
      assert.equal(200, host:post("/api/jobs/" .. lost .. "/resolve", { status = "done", cost_usd = tonumber(usd) }).status)
      assert.equal(amount, micro(vendor:status(lost).money.spent_usd))
      spent = spent + amount
    end
  end)

  it("that is none is refused", function()
    for _, usd in ipairs { "-1", "0", "0.0000001", "1e10", "1e308", '"2"' } do
      local answer = host:post(vendor.path .. "/submit", ('{"dry_run":false,"price":1,"max_cost_usd":%s}'):format(usd))
      assert.equal(400, answer.status, usd)
      assert.equal("max_cost_usd", answer.json.errors[1].path)
    end
  end)
end)
