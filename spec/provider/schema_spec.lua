-- lua/schema.lua and lua/price_units.lua by the recorded answers of the vendors (spec/contracts/directory.json). A case is
-- data: add a case, not code.
local exact = require "spec.support.exact_json"
local directory_cases = require "spec.support.directory_cases"
local offline = require "author.offline"

local cjson, cases = offline.cjson, directory_cases.all()
local schema, price_units = offline.require "schema", offline.require "price_units"

local function as_lua(value) return directory_cases.as_lua(value, cjson) end

local function brief(value)
  local text = exact.encode(value)
  return #text > 150 and text:sub(1, 150) .. "..." or text
end

local function paths_of(list)
  local paths = {}
  for _, item in ipairs(list) do paths[#paths + 1] = item.path end
  return paths
end

local function told(complaint)
  if not complaint then return nil end
  return { field = complaint.path, rule = complaint.rule .. (complaint.suggestion and ":" .. complaint.suggestion or "") }
end

-- What must hold of one check of a case.
local function run_check(normal, check)
  local input = as_lua(check.input)
  local before = exact.encode(input)
  local sent, complaints, notes = schema.check(normal, input, { utf16 = true })
  if check.ok then
    assert.same({}, complaints)
    assert.same(as_lua(check.sent or check.input), sent)
    if check.noted then assert.same(as_lua(check.noted), paths_of(notes)) end
  else
    assert.same({ field = check.field, rule = check.rule }, told(complaints[1]))
    assert.is_nil(complaints[2])
    assert.is_truthy(#complaints[1].message > 5)
  end
  assert.equal(before, exact.encode(input), "the client's own value was changed")
end

local function sorted(list)
  local copy = { table.unpack(list) }
  table.sort(copy)
  return copy
end

-- Names of the inputs in the order of a form.
local function order_of(normal)
  local names = {}
  for name in pairs(normal.properties) do names[#names + 1] = name end
  table.sort(names, function(one, other) return normal.properties[one].x_order < normal.properties[other].x_order end)
  return names
end

local function check_expectations(case, normal)
  local expect = case.expect or {}
  if expect.required then assert.same(as_lua(expect.required), normal.required) end
  if expect.order then assert.same(as_lua(expect.order), order_of(normal)) end
  if expect.files then assert.same(as_lua(expect.files), schema.files(normal)) end
  if expect.drivers then assert.same(sorted(expect.drivers), sorted(schema.drivers(normal))) end
end



describe("a vendor's schema", function()
  for _, case in ipairs(cases) do
    if case.checks then
      it("is read into one form: " .. case.name, function()
        local normal, warnings = schema.normalize(directory_cases.schema_of(case, cjson))
        assert.same({}, warnings)
        check_expectations(case, normal)
      end)
      for index, check in ipairs(case.checks) do
        it(("%s, check %d: %s"):format(case.name, index, brief(check.input)), function()
          run_check(schema.normalize(directory_cases.schema_of(case, cjson)), check)
        end)
      end
    end
  end

  it("of an output says where the files are", function()
    local count = 0
    for _, case in ipairs(cases) do
      local body = case.schema_at and case.vendor == "fal" and as_lua(case.response.body)
      if body then
        local document = body.models[1].openapi
        for name, output in pairs(document.components.schemas) do
          local first = output.properties and next(output.properties) and name:find "Output$"
          if first then
            local outputs = schema.outputs(schema.normalize(output, document), case.expect.kind)
            for _, one in ipairs(outputs) do one.many = nil end
            assert.same(as_lua(case.expect.outputs), outputs)
            count = count + 1
          end
        end
      end
    end
    assert.is_true(count >= 6)
  end)
end)

-- Figures are recorded to five digits.
local function assert_usd(expected, quantity, usd)
  if expected == nil or expected == exact.null then return assert.is_nil(quantity) end
  assert.is_truthy(quantity, "there is no figure")
  assert.near(expected, quantity * usd, 6e-6)
end

describe("an input of a row", function()
  it("may be required and an object", function()
    local model_inputs = offline.require "model_inputs"
    local rows = model_inputs.rows { m = { inputs = { input = { type = "object", required = true, properties = {} } } } }
    local plan = model_inputs.new_plan("m", rows.m)
    model_inputs.put(plan, { field = "parameters.input", input = "input", decides = true }, { a = 1 })
    assert.same({ input = { a = 1 } }, plan.body)
    assert.is_nil(plan.refusals)
  end)
end)

describe("the units of a price", function()
  for _, case in ipairs(cases) do
    for _, estimate in ipairs(case.estimates or {}) do
      local price = case.response.body.prices[1]
      for _, listed in ipairs(case.response.body.prices) do
        if listed.endpoint_id == estimate.endpoint_id then price = listed end
      end
      it(price.endpoint_id .. ": " .. brief(estimate.input), function()
        local model = {
          inputs = directory_cases.inputs_of(cases, price.endpoint_id, schema, cjson),
          drivers = estimate.drivers and as_lua(estimate.drivers),
        }
        if not model.inputs then model.inputs = { properties = { prompt = { type = "string" } } } end
        local quantity = price_units.quantity(model, as_lua(estimate.input), price) or {}
        assert_usd(estimate.low_usd, quantity.low, price.unit_price)
        assert_usd(estimate.expected_usd, quantity.expected, price.unit_price)
        assert_usd(estimate.high_usd, quantity.high, price.unit_price)
      end)
    end
    for _, billed in ipairs(case.billed or {}) do
      it(billed.endpoint_id .. " bills " .. billed.units .. " units: " .. billed.shows, function()
        local cost = offline.require("price").cost(tonumber(billed.units), billed.unit_price)
        assert.near(billed.usd, cost.usd, 1e-9)
        assert.equal("computed", cost.source)
      end)
    end
  end
end)
