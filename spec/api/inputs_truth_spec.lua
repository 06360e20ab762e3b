-- The inputs of every provider cannot lie, through a running host: what `GET .../inputs` shows is what a dry submit takes and
-- refuses, in answers that name the property. spec/provider/inputs_spec.lua tries the same without a host.
local hosts = require "spec.support.host"
local probes = require "spec.support.input_probes"
local providers = require "spec.support.providers"

local SEGMENTS = { gpu = "gpu/public", image = "image", video = "video" }

local function query_of(choice)
  local parts = {}
  for _, name in ipairs { "mode", "model", "operation" } do
    local value = choice[name]
    if type(value) == "string" then
      parts[#parts + 1] = name .. "=" .. value:gsub("[^%w%-._~]", function(byte) return ("%%%02X"):format(byte:byte()) end)
    end
  end
  return table.concat(parts, "&")
end

describe("inputs of a running host", function()
  local host, tried = nil, 0
  setup(function() host = hosts.start() end)
  teardown(function() host:remove() end)

  local function submitter(path)
    return function(request) return probes.read(host:post(path .. "/submit", request)) end
  end

  for _, row in ipairs(providers) do
    it("say the truth: " .. row.id, function()
      local path = "/api/providers/" .. SEGMENTS[row.kind] .. "/" .. row.id
      local all, lies = host:get(path .. "/inputs").json, {}
      assert.is_true(all.described)
      for _, brief in ipairs(all.choices) do
        path = "/api/providers/" .. SEGMENTS[brief.kind] .. "/" .. row.id
        local choice = host:get(path .. "/inputs?" .. query_of(brief)).json.choice
        assert.is_truthy(choice, "there is no choice for " .. query_of(brief))
        local found, count = probes.lies(probes.plain(choice), submitter(path))
        for _, lie in ipairs(found) do lies[#lies + 1] = probes.name(choice) .. ": " .. lie end
        tried = tried + count
      end
      assert.same({}, lies)
    end)
  end

  it("are tried by many values", function() assert.is_true(tried > 1000, tried .. " were tried") end)
end)
