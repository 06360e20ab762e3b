-- lua/model_inputs.lua: what becomes of a value by our row, by the vendor's own schema, and without either.
local offline = require "author.offline"

local model_inputs, plans = offline.require "model_inputs", offline.require "plan"

local ROWS = model_inputs.rows { ["acme/flux"] = { inputs = {
  prompt = { type = "string", required = true, field = "prompt" },
  num_images = { type = "integer", minimum = 1, maximum = 4, field = "parameters.samples" },
  style = { enum = { "photo", "drawing" } },
} } }

local function live(more)
  local model = {
    id = "acme/flux", status = "active", as_of = "2026-11-29T10:00:00.000Z", age_seconds = 7200,
    inputs = { type = "object", required = { "prompt" }, properties = {
      prompt = { type = "string" }, num_images = { type = "integer", minimum = 1, maximum = 8 },
      seconds = { type = "string", enum = { "4s", "8s" } },
      image_size = { type = "object", properties = { width = { type = "integer", minimum = 64 } } },
    } },
  }
  for key, value in pairs(more or {}) do model[key] = value end
  return model
end

local PROMPT = { field = "prompt", input = "prompt" }
local SAMPLES = { field = "parameters.samples", input = "num_images", decides = true }

local function build(values, row, model, payload, ctx)
  local built = model_inputs.new_plan("acme/flux", row, model)
  for _, pair in ipairs(values) do model_inputs.put(built, pair[1], pair[2]) end
  model_inputs.require_inputs(built)
  model_inputs.finish(built, payload or {}, ctx or {})
  return built
end

local function refusals(built)
  local by_field = {}
  for _, item in ipairs(built.refusals or {}) do by_field[item.field] = item end
  return by_field
end

describe("by a row a value", function()
  local row = ROWS["acme/flux"]

  it("is sent", function()
    assert.same({ prompt = "x", num_images = 4 }, build({ { PROMPT, "x" }, { SAMPLES, 4 } }, row).body)
  end)

  it("is refused under the client's path, with what would do", function()
    local refusal = refusals(build({ { PROMPT, "x" }, { SAMPLES, 5 } }, row))["parameters.samples"]
    assert.equal("acme/flux: must be from 1 to 4", refusal.message)
    assert.same({ 1, 2, 3, 4 }, refusal.allowed)
  end)

  it("is refused under the name that the client used", function()
    local payload = { given_as = { ["parameters.samples"] = "parameters.num_images" } }
    assert.is_truthy(refusals(build({ { PROMPT, "x" }, { SAMPLES, 5 } }, row, nil, payload))["parameters.num_images"])
  end)

  it("that is required must be there", function()
    assert.equal("is needed by acme/flux", refusals(build({}, row)).prompt.message)
  end)

  it("of an unknown name is sent with a warning, and has no price then", function()
    local built = build({ { PROMPT, "x" }, { { field = "parameters.turbo", input = "turbo" }, 1 } }, row)
    assert.equal(1, built.body.turbo)
    assert.equal("parameters.turbo", built.warnings[1].field)
    assert.is_truthy(plans.unpriced_by(built))
  end)
end)

describe("by the vendor's schema a value", function()
  local row = ROWS["acme/flux"]

  it("is taken though our row is behind", function()
    local built = build({ { PROMPT, "x" }, { SAMPLES, 8 } }, row, live())
    assert.is_nil(built.refusals)
    assert.equal(8, built.body.num_images)
  end)

  it("is refused in the client's words, with the schema's age", function()
    local refusal = refusals(build({ { PROMPT, "x" }, { SAMPLES, 9 } }, row, live()))["parameters.samples"]
    assert.equal("acme/flux takes num_images from 1 to 8 (the vendor's schema, read 2 hours ago)", refusal.message)
    assert.same({ 1, 2, 3, 4, 5, 6, 7, 8 }, refusal.allowed)
  end)

  it("inside of another is named whole", function()
    local size = { field = "parameters.resolution", input = "image_size" }
    assert.is_truthy(refusals(build({ { PROMPT, "x" }, { size, { width = 1 } } }, row, live()))["parameters.resolution.width"])
  end)

  it("that is required is asked for once", function()
    local built = build({}, row, live())
    assert.equal(1, #built.refusals)
    assert.is_truthy(refusals(built).prompt.message:find("is needed by acme/flux", 1, true))
  end)

  it("of a name that is nearly one is refused, of any other sent, each told once and without a price", function()
    local near = { field = "parameters.num_image", input = "num_image" }
    local built = build({ { PROMPT, "x" }, { near, 2 } }, row, live())
    assert.same({ "num_images" }, refusals(built)["parameters.num_image"].allowed)
    assert.is_nil(built.warnings)
    built = build({ { PROMPT, "x" }, { { field = "parameters.turbo", input = "turbo" }, 1 } }, row, live())
    assert.same({ 1, 1 }, { built.body.turbo, #built.warnings })
    assert.is_truthy(plans.unpriced_by(built))
  end)

  it("is changed where nothing is lost, and that is told", function()
    local seconds = { field = "parameters.duration", input = "seconds" }
    local built = build({ { PROMPT, "x" }, { seconds, 8 } }, nil, live())
    assert.equal("8s", built.body.seconds)
    assert.same({ field = "parameters.duration", message = 'sent as "8s"' }, built.warnings[1])
  end)

  it("goes out all the same when the directory is to be ignored", function()
    local built = build({ { PROMPT, "x" }, { SAMPLES, 9 } }, row, live(), {}, { ignore_directory = true })
    assert.is_nil(built.refusals)
    assert.equal(9, built.body.num_images)
    assert.is_truthy(built.warnings[1].message:find("sent all the same", 1, true))
  end)

  for status, words in pairs { gone = "no longer", offline = "switched off", deprecated = "deprecated" } do
    it("is sent to a model that is " .. status .. ", with a note", function()
      local built = build({ { PROMPT, "x" } }, nil, live { status = status })
      assert.is_nil(built.refusals)
      assert.is_truthy(built.notes[1]:find(words, 1, true))
    end)
  end

  it("of a model whose schema could not be read is not looked at", function()
    local model = live()
    model.inputs = nil
    assert.is_nil(build({ { PROMPT, "x" }, { SAMPLES, 99 } }, nil, model).refusals)
  end)
end)

describe("a model without a row gets what the client wrote", function()
  local ALIASES = { samples = { "num_images", "num_outputs" }, steps = { "num_inference_steps" } }

  local function given(parameters, model)
    local built = model_inputs.new_plan("acme/flux", nil, model)
    model_inputs.put_given(built, parameters, nil, ALIASES)
    model_inputs.finish(built, {}, {})
    return built
  end

  it("under its own names", function()
    local parameters = { samples = 3, steps = "20", Style = " Bold ", loras = { { path = "a" } }, prompt = "x" }
    assert.same(parameters, given(parameters).body)
  end)

  it("under the vendor's names only where its schema has these and not ours", function()
    assert.same({ prompt = "x", num_images = 3, steps = 20 }, given({ prompt = "x", samples = 3, steps = 20 }, live()).body)
    local both = live()
    both.inputs.properties.samples = { type = "integer" }
    assert.same({ prompt = "x", samples = 3 }, given({ prompt = "x", samples = 3 }, both).body)
  end)

  it("and is told under the names that it used", function()
    local built = given({ prompt = "x", samples = 99 }, live())
    assert.is_truthy(refusals(built)["parameters.samples"])
  end)
end)
