-- lua/price.lua: which price is believed, how it is rounded, and what is said when there is none.
local offline = require "author.offline"

local price = offline.require "price"

local ROW = { usd = 0.1, unit = "second", source = "https://vendor/page", as_of = "2026-11-23", checks_usd = 0.2 }
local LIVE = { usd = 0.2, unit = "seconds", currency = "USD", source = "https://vendor/api", as_of = "2026-11-30T01:00:00.000Z" }
local OBSERVED = { median = 0.75, maximum = 0.9, count = 4, as_of = "2026-11-29" }

local function with(base, more)
  local copy = {}
  for key, value in pairs(base) do copy[key] = value end
  for key, value in pairs(more) do copy[key] = value end
  return copy
end

local function ctx_with(observed)
  return { observed = function(model, drivers)
    assert.is_string(model) -- as the host's own does
    return model == "acme/film" and drivers == "resolution=720p" and observed or nil
  end }
end

local function estimate(more, observed)
  return price.estimate(ctx_with(observed), with({ model = "acme/film", drivers = "resolution=720p", unit = "second" }, more))
end

describe("a price is believed", function()
  it("live, when its units are settled by the request", function()
    local figures = estimate({ quantity = 5, live = LIVE, row_price = ROW }, OBSERVED)
    assert.same({ 1, 1, 1, 0.2 }, { figures.low, figures.expected, figures.high, figures.unit_usd })
    assert.same({ LIVE.source, LIVE.as_of, "acme/film" }, { figures.source, figures.as_of, figures.model })
  end)

  it("by our row, while the live one is that for which it was written", function()
    local open = { expected = 5 }
    local figures = estimate({ quantity = 5, live = LIVE, live_quantity = open, row_price = ROW }, OBSERVED)
    assert.same({ 0.5, ROW.source }, { figures.expected, figures.source })
    figures = estimate({ quantity = 5, live = with(LIVE, { usd = 0.25 }), live_quantity = open, row_price = ROW }, OBSERVED)
    assert.equal("observed", figures.source)
  end)

  it("by our row, when there is no live one", function()
    assert.equal(0.5, estimate({ quantity = 5, row_price = ROW }, OBSERVED).expected)
  end)

  it("by this host's own jobs of the same kind", function()
    local figures = estimate({ quantity = 5, live = LIVE, live_quantity = { expected = 5 } }, OBSERVED)
    assert.same({ 0.75, 0.9, "observed", 4 }, { figures.expected, figures.high, figures.source, figures.jobs })
    assert.is_nil(figures.low)
    assert.is_nil(estimate({ model = "acme/other" }, OBSERVED))
    assert.is_nil(estimate({ drivers = "resolution=1080p" }, OBSERVED))
    assert.is_nil(estimate({ model = offline.cjson.null }, OBSERVED)) -- a job may say so
  end)

  it("live, without an upper bound", function()
    local figures = estimate { live = LIVE, live_quantity = { expected = 8 }, history = { usd = 3 } }
    assert.equal(1.6, figures.expected)
    assert.same({ nil, true }, { figures.high, figures.unbounded })
  end)

  it("by what is usual, at last", function()
    local history = { usd = 0.031, source = "https://vendor/history" }
    local figures = estimate { history = history }
    assert.same({ 0.031, nil, true }, { figures.expected, figures.high, figures.unbounded })
    figures = estimate { live = with(LIVE, { unit = "unit", history = history }) }
    assert.same({ 0.031, history.source, LIVE.as_of }, { figures.expected, figures.source, figures.as_of })
  end)

  it("not at all: nil, and why", function()
    local figures, why = estimate { reason = "nobody knows" }
    assert.is_nil(figures)
    assert.equal("nobody knows", why)
  end)
end)

describe("a price that is none", function()
  for what, bad in pairs { ["zero"] = { usd = 0 }, ["less than nothing"] = { usd = -1 }, ["in euros"] = { currency = "EUR" },
    ["a text"] = { usd = "0.2" }, ["no number"] = { usd = 0 / 0 }, ["endless"] = { usd = math.huge } } do
    it("is unknown: " .. what, function()
      assert.is_nil((estimate { quantity = 5, live = with(LIVE, bad) }))
      assert.equal(0.5, estimate({ quantity = 5, live = with(LIVE, bad), row_price = ROW }).expected)
    end)
  end
end)

describe("figures", function()
  it("are whole micro-dollars, and never nothing", function()
    assert.equal(0.9, estimate({ quantity = 3, row_price = { usd = 0.3 } }).expected)
    assert.equal(1e-6, estimate({ quantity = 1, row_price = { usd = 1e-9 } }).expected)
  end)

  it("keep both ends of lists that disagree", function()
    local figures = estimate {
      quantity = { low = 1, expected = 1, high = 2 }, row_price = { usd = 0.04, low_usd = 0.03, high_usd = 0.055 },
    }
    assert.same({ 0.03, 0.04, 0.11 }, { figures.low, figures.expected, figures.high })
  end)

  it("show what else a script says", function()
    assert.equal("high in a pinned region", estimate({ quantity = 1, row_price = ROW, basis = "high in a pinned region" }).basis)
  end)

  it("are written as people do", function()
    assert.equal("$0.003 / megapixel", price.text { usd = 0.003, unit = "megapixel" })
    assert.equal("$40 / image", price.text { usd = 40, unit = "image" })
    assert.is_nil(price.text { usd = 0, unit = "image" })
  end)
end)
