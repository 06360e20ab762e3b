-- Every input of every model that fal's own client knows arrives as it was written, whatever it is called: nearly all of these
-- models are not described here. Pending where the types cannot be had from npm.
local contract = require "spec.support.contract"
local fal_types = require "spec.support.fal_types"
local given = require "given"
local offline = require "author.offline"

-- Values that somebody might be tempted to correct.
local AWKWARD = { "", "  Some Text ", "UPPER", "7", 0, -1, 0.5, true, { a = { "B", 2 } }, offline.cjson.null }

describe("fal's models, by the types of its client,", function()
  local provider, models, missing
  setup(function()
    provider = contract.load "fal"
    models, missing = fal_types.read()
  end)

  local kind

  local function sent(model, name, value)
    local request = { model = model, prompt = name ~= "prompt" and "a cat" or nil, parameters = { [name] = value } }
    return offline.submit(provider, request, nil, { kind = kind }).upstream
  end

  local function arrives(model, name, value)
    local upstream = sent(model, name, value)
    local arrived = upstream and upstream.json[name]
    return math.type(arrived) == math.type(value) and type(arrived) == type(value) and given.same(arrived, value)
  end

  -- Tries all values, and returns how many there are, how many models have nothing but such as arrive, and those that do not.
  local function count(values_of)
    local values, whole, changed = 0, 0, {}
    for _, model in ipairs(models) do
      local before = #changed
      for _, input in ipairs(model[2]) do
        for _, value in ipairs(values_of(model[1], input[3], input[1])) do
          values = values + 1
          if not arrives(model[1], input[1], value) then
            changed[#changed + 1] = ("%s: %s = %s"):format(model[1], input[1], tostring(value))
          end
        end
      end
      if #changed == before then whole = whole + 1 end
    end
    return values, whole, changed
  end

  for _, asked in ipairs { "image", "video" } do
    it("get every value of every input unchanged, asked for as " .. asked, function()
      if missing then return pending(missing) end
      kind = asked
      local values, whole, changed = count(function(_, parts) return fal_types.values(parts) end)
      assert.same({}, changed)
      assert.same({ 24096, 1207, 1207 }, { values, whole, #models })
    end)
  end

  it("get what no type allows unchanged, too, if they are not described here", function()
    if missing then return pending(missing) end
    local seen = {} -- an input of each name is enough
    for _, id in ipairs(provider.capabilities.models) do seen[id] = true end
    local values, _, changed = count(function(model, _, name)
      if seen[model] or seen[name] then return {} end
      seen[name] = true
      return AWKWARD
    end)
    assert.same({}, changed)
    assert.is_true(values > 10000, values .. " values")
  end)

  it("get what contradicts our words as two inputs", function()
    local parameters = { steps = 4, num_inference_steps = "5", samples = 1, num_images = 2, image = 1, format = "A",
      output_format = "B", width = 3, resolution = "4k", image_size = "auto", priority = 1, webhook = "x", duration_seconds = 4,
      duration = "8s" }
    local answer = offline.submit(provider, { model = "somebody/else", prompt = " p ", parameters = parameters })
    assert.same({}, answer.warnings)
    parameters.prompt = " p "
    assert.same(parameters, answer.upstream.json)
  end)
end)
