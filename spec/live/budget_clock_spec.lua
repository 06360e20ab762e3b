-- Budgets and a clock that is not to be trusted: ahead, set back, over midnight and over the end of a month. Every entry counts
-- in the day and
-- the month of its own reservation, whatever the clock said before or says later. The books that judge are the spec's.
local clocks = require "spec.support.clock"
local exact = require "spec.support.exact_json"
local told_vendor = require "spec.support.told_vendor"

local KEY = ("k"):rep(40)
local BASE = { year = 2027, month = 3, day = 15, hour = 12 }

local function utc(time)
  return os.time(time) - os.time(os.date("!*t", os.time(time))) + os.time(time)
end

local function at(changes)
  local time = { min = 0, sec = 0, isdst = false }
  for name, value in pairs(BASE) do time[name] = changes and changes[name] or value end
  return utc(time)
end

local function micro(usd)
  return math.floor(usd * 1e6 + 0.5)
end

local function sha256(text)
  local pipe = io.popen("printf %s " .. text .. " | sha256sum")
  local digest = pipe:read("a"):match("^%x+")
  pipe:close()
  return digest
end

describe("a budget and the clock", function()
  local clock, vendor, host

  -- False under a sanitizer.
  local function start(limit)
    clock = clocks.new()
    if not clock then return false end
    vendor = told_vendor.start()
    clock:wall(at() - os.time())
    host = vendor:live {
      env = clock.env, headers = { ["X-API-Key"] = KEY },
      config = function(config)
        config.server.api_keys = {
          { name = "studio", sha256 = sha256(KEY), budget_usd = { per_day = 1000, per_month = 1000 } },
        }
        if limit then config.live.budget_usd = { per_day = limit, per_month = limit } end
      end,
    }
    return true
  end

  after_each(function()
    if vendor then vendor:remove() end
    if clock then clock:remove() end
    vendor, clock = nil, nil
  end)

  local function move(time) clock:wall(time - os.time()) end

  local function resolve(made, status, cost)
    local answer = host:post("/api/jobs/" .. made.id .. "/resolve", { status = status, cost_usd = cost }, vendor.headers)
    assert.equal(200, answer.status, answer.body)
    made.reserved, made.spent = 0, micro(cost)
  end

  -- A job that the vendor has, by the vendor's id; booked by the clock of now.
  local function job(books, time, price, status)
    local made = { day = time // 86400, month = os.date("!%Y-%m", time), reserved = micro(price), spent = 0 }
    made.id = vendor:job(price)
    books[#books + 1] = made
    made.vendor_id = vendor:becomes(made.id, status or "running").vendor_id
    return made
  end

  local function ends(made, result, spent)
    vendor:tell { ["GET /jobs/" .. made.vendor_id] = { json = result } }
    host:eventually(function()
      vendor:refresh(made.id)
      return vendor:status(made.id).status == result.status
    end)
    assert.equal(spent, micro(vendor:status(made.id).money.spent_usd))
    made.reserved, made.spent = 0, spent
  end

  -- What the host says of today and this month is what the books say: of the host, the provider and the key. Looking moves
  -- nothing.
  local function check(books, time, says)
    local want = { day_reserved = 0, day_spent = 0, month_reserved = 0, month_spent = 0 }
    for _, entry in ipairs(books) do
      if entry.day == time // 86400 then
        want.day_reserved, want.day_spent = want.day_reserved + entry.reserved, want.day_spent + entry.spent
      end
      if entry.month == os.date("!%Y-%m", time) then
        want.month_reserved, want.month_spent = want.month_reserved + entry.reserved, want.month_spent + entry.spent
      end
    end
    move(time)
    assert.equal(200, host:get("/metrics", vendor.headers).status)
    local budget = host:get("/api/budget", vendor.headers).json
    local accounts = { host = budget.host, key = budget.api_keys[1] }
    for _, provider in ipairs(budget.providers) do
      if provider.provider == "told" then accounts.provider = provider end
    end
    for name, account in pairs(accounts) do
      assert.same(want, {
        day_reserved = micro(account.day.reserved_usd), day_spent = micro(account.day.spent_usd),
        month_reserved = micro(account.month.reserved_usd), month_spent = micro(account.month.spent_usd),
      }, says .. ": " .. name)
    end
  end

  it("books every way of money in the periods of its entry", function()
    if not start() then return pending("no clock under a sanitizer") end
    local moves = {
      { "ahead by weeks", at(), at { month = 4, day = 24 } },
      { "back by weeks", at(), at { month = 2, day = 3 } },
      { "over midnight", at { day = 20, hour = 23 }, at { day = 21, hour = 1 } },
      { "over the end of the month", at { month = 5, day = 31, hour = 23 }, at { month = 6, day = 1, hour = 1 } },
      { "back over the end of the year", at { year = 2028, month = 1, day = 1 }, at { month = 12, day = 31 } },
    }
    local books, times = {}, {}
    local function check_all(says)
      for _, time in ipairs(times) do check(books, time, says) end
    end
    for _, case in ipairs(moves) do
      local says, before, after = table.unpack(case)
      times[#times + 1], times[#times + 2] = before, after
      move(before)
      vendor:tell { ["POST /pay"] = { each = true, json = { status = "running" } } }
      local lower, higher, free, kept = job(books, before, 0.05), job(books, before, 0.02), job(books, before, 0.03),
        job(books, before, 0.07)
      vendor:tell { ["POST /pay"] = { hang_up = true } }
      local lost, found = job(books, before, 0.011, "unknown"), job(books, before, 0.013, "unknown")
      move(after)
      check_all(says .. ", nothing ended")
      vendor:tell { ["POST /pay"] = { each = true, json = { status = "running" } } }
      local later = job(books, after, 0.017)
      ends(lower, { status = "done", cost = { usd = 0.041, source = "vendor" } }, 41000)
      ends(higher, { status = "done", cost = { usd = 0.029, source = "vendor" } }, 29000)
      ends(free, { status = "error", error = { code = "vendor", message = "no", billed = false } }, 0)
      resolve(lost, "done", 0.01)
      check_all(says .. ", ended")
      move(after)
      host:kill()
      host:start_again()
      check_all(says .. ", after a restart")
      move(before)
      ends(later, { status = "done", cost = { usd = 0.017, source = "vendor" } }, 17000)
      resolve(found, "error", 0)
      check_all(says .. ", ended after a restart")
      assert.is_true(kept.reserved > 0)
    end
  end)

  it("loses no key and no entry to a clock that was ahead for a while", function()
    if not start() then return pending("no clock under a sanitizer") end
    vendor:tell { ["POST /pay"] = { each = true, json = { status = "done" } } }
    local headers = { ["X-API-Key"] = KEY, ["Idempotency-Key"] = "once" }
    local paid = vendor:job(0.01, headers)
    vendor:becomes(paid, "done")
    local before = host:get("/api/budget?days=400", vendor.headers).json.days
    move(at { year = 2029 })
    vendor.settings.registry = { keep_days = 7 } -- which purges at once
    host:write("config/comfyvn.json", exact.encode(vendor.settings))
    host:eventually(function() return host:log():find("config.reloaded", 1, true) or host:log():find("reload", 1, true) end)
    for _ = 1, 3 do assert.equal(200, host:post(vendor.path .. "/submit", { price = 1 }, vendor.headers).status) end
    move(at())
    assert.equal(paid, vendor:job(0.01, headers))
    assert.equal(1, vendor:seen("POST /pay"))
    assert.same(before, host:get("/api/budget?days=400", vendor.headers).json.days)
  end)

  it("admits no more when the clock was ahead, or is behind", function()
    if not start(0.02) then return pending("no clock under a sanitizer") end
    vendor:tell { ["POST /pay"] = { each = true, json = { status = "running" } } }
    local ahead, behind = at { month = 4, day = 24 }, at { month = 1, day = 2 }
    local sent = 0
    local function admits(time, count, says)
      move(time)
      for i = 1, count + 3 do
        local answer = vendor:submit { price = 0.01 }
        assert.equal(i <= count and 202 or 402, answer.status, says .. ": " .. answer.body)
      end
      sent = sent + count -- before the clock moves on, or their time would be over
      host:eventually(function() return vendor:seen("POST /pay") == sent end)
    end
    admits(at(), 1 + 1, "at first")
    admits(ahead, 2, "ahead")
    admits(at(), 0, "right again")
    move(behind)
    host:get("/metrics", vendor.headers)
    host:get("/api/budget", vendor.headers)
    admits(at(), 0, "after a look")
    admits(behind, 2, "behind")
    admits(at(), 0, "right after being behind")
    for _, time in ipairs { behind, ahead, at() } do
      move(time)
      host:kill()
      host:start_again()
      for _, other in ipairs { at(), ahead, behind } do admits(other, 0, "after a start") end
    end
    assert.equal(6, vendor:seen("POST /pay"))
  end)
end)
