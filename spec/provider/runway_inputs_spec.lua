-- Every value of every input that Runway's own client knows arrives as it was written, at models that are described here and at
-- those that are not. Pending where the types cannot be had from npm.
local contract = require "spec.support.contract"
local given = require "given"
local offline = require "author.offline"
local runway_types = require "spec.support.runway_types"

-- Values that somebody might be tempted to correct.
local AWKWARD = { "", "  Some Text ", "UPPER", "7", 0, -1, 0.5, true, { a = { "B", 2 } }, offline.cjson.null }

describe("runway's models, by the types of its client,", function()
  local provider, bodies, missing
  setup(function()
    provider = contract.load "runway"
    bodies, missing = runway_types.read()
  end)

  local function arrives(body, model, name, value)
    local parameters = { [name] = value }
    for needed, known in pairs(body.required) do
      if needed ~= name then parameters[needed] = known end
    end
    local answer = offline.submit(provider, { model = model, parameters = parameters })
    local upstream = answer.upstream
    if not upstream or not upstream.url:find("/v1/" .. body.endpoint, 1, true) then return false end
    local arrived = upstream.json[name]
    return type(arrived) == type(value) and given.same(arrived, value)
  end

  -- The same values for each input of a body, once.
  local function for_each_input(body, list)
    local items, seen = {}, {}
    for _, item in ipairs(body.values) do
      for _, value in ipairs(seen[item[1]] and {} or list) do items[#items + 1] = { item[1], value } end
      seen[item[1]] = true
    end
    return items
  end

  -- Tries values with each body (its own, or these with each input), and returns how many there are, how many bodies have nothing
  -- but such as arrive, and the others.
  local function count(model_of, list)
    local values, whole, changed, tried = 0, 0, {}, 0
    for _, body in ipairs(bodies) do
      local model, before = model_of(body), #changed
      tried = tried + (model and 1 or 0)
      for _, item in ipairs(model and (list and for_each_input(body, list) or body.values) or {}) do
        values = values + 1
        if not arrives(body, model, item[1], item[2]) then
          changed[#changed + 1] = ("%s: %s = %s"):format(model, item[1], tostring(item[2]))
        end
      end
      if model and #changed == before then whole = whole + 1 end
    end
    return values, whole, changed, tried
  end

  local function pair(body) return body.model ~= offline.cjson.null and body.endpoint .. "/" .. body.model or nil end

  it("get every value of every input unchanged", function()
    if missing then return pending(missing) end
    local values, whole, changed, tried = count(pair)
    assert.same({}, changed)
    assert.same({ 1622, 67, 67 }, { values, whole, tried })
  end)

  it("get them unchanged at endpoints without a model, too", function()
    if missing then return pending(missing) end
    local values, whole, changed, tried = count(function(body) return not pair(body) and "v1/" .. body.endpoint or nil end)
    assert.same({}, changed)
    assert.same({ 292, 15, 15 }, { values, whole, tried })
  end)

  it("get whatever is written unchanged, if they are not described here", function()
    if missing then return pending(missing) end
    local function unheard_of(body) return pair(body) and body.endpoint .. "/next_" .. body.model end
    local _, _, changed = count(unheard_of)
    assert.same({}, changed)
    local values
    values, _, changed = count(unheard_of, AWKWARD)
    assert.same({}, changed)
    assert.equal(3900, values)
  end)
end)
