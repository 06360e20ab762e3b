-- The directory of models: off it is not there, on it reads what a vendor publishes, and scripts know it.
local shelves = require "spec.support.directory_script"

local ONE = "maker-3/model-0003"

local function has_file(shelf, name)
  return shelf.host:read("data/" .. name) ~= nil
end

describe("the directory, off as shipped", function()
  for name, options in pairs { ["for all"] = { on = false }, ["for this provider"] = { own = false } } do
    it("opens no connection, has no file and knows nothing, switched off " .. name, function()
      local shelf = shelves.start(options)
      for _ = 1, 5 do
        local model, price = shelf:known(ONE)
        assert.is_false(model)
        assert.is_false(price)
      end
      shelf.host:write("config/comfyvn.json", shelf.host:read("config/comfyvn.json") .. "\n") -- changes nothing
      require("socket").sleep(1)
      assert.same({}, shelf:seen())
      assert.is_false(has_file(shelf, "directory.db"))
      shelf:remove()
    end)
  end
end)

describe("the directory, on", function()
  local shelf
  setup(function() shelf = shelves.start { secrets = { shelf = { api_key = "shelf-key-of-the-operator" } } } end)
  teardown(function() shelf:remove() end)

  it("reads the list, page by page, and a script knows a model of it", function()
    local model = shelf:wait_for("maker-5/model-0250", "listed")
    assert.equal("Model 250", model.name)
    assert.equal("image", model.kind)
    assert.equal("active", model.status)
    local pages = shelf.host:eventually(function()
      local seen = shelf:seen("models")
      return #seen == 3 and seen
    end)
    assert.is_nil(pages[1].key)
    assert.equal("list.shelf.example", pages[1].host)
  end)

  it("describes a model that a dry run asked for, behind it, with the credential to the script's own host", function()
    local model = shelf:wait_for(ONE, "described")
    assert.equal(4, model.inputs.properties.samples.maximum)
    assert.matches("^%d%d%d%d%-", model.as_of)
    assert.equal(64, #model.schema_sha256)
    local asked = shelf:seen("model")
    assert.equal("Key shelf-key-of-the-operator", asked[1].key)
    assert.equal("api.shelf.example", asked[1].host)
  end)

  it("knows its price once it was asked for", function()
    local price = shelf.host:eventually(function()
      local _, known = shelf:known(ONE)
      return known
    end)
    assert.equal(0.5, price.usd)
    assert.equal("images", price.unit)
    assert.equal("USD", price.currency)
    assert.is_false(price.account)
  end)

  it("asks once for what many want", function()
    for _ = 1, 20 do shelf:known("maker-1/model-0008") end
    shelf:wait_for("maker-1/model-0008", "described")
    local asked = 0
    for _, request in ipairs(shelf:seen("model")) do
      asked = asked + (request.query.id == "maker-1/model-0008" and 1 or 0)
    end
    assert.equal(1, asked)
  end)

  it("is read from its file after a restart, and asks for nothing anew", function()
    shelf.host:kill()
    shelf.host:start_again()
    local model = shelf.host:eventually(function()
      local known = shelf:known(ONE)
      return known and known.inputs and known
    end)
    assert.equal(4, model.inputs.properties.samples.maximum)
    assert.equal("Model 250", shelf:known("maker-5/model-0250").name)
    assert.equal(3, #shelf:seen("models"))
  end)

  it("stops at once when it is switched off", function()
    shelf:reconfigure(function(config) config.directory.enabled = false end)
    shelf.host:eventually(function() return shelf:known(ONE) == false end)
    local before = #shelf:seen()
    for number = 20, 40 do shelf:known(("maker-%d/model-%04d"):format(number % 7, number)) end
    require("socket").sleep(1)
    assert.equal(before, #shelf:seen())
    shelf:reconfigure(function(config) config.directory.enabled = true end)
    shelf:wait_for(ONE, "described")
  end)
end)
