-- A value that was exchanged in the secrets file is still a secret: a vendor may take it for a while, and repeats it.
local exact = require "spec.support.exact_json"
local host = require "spec.support.host"
local golden = require "spec.support.golden"
local providers = require "spec.support.providers"

local function key(i) return ("rotated-key-%d-Xy42Zw"):format(i) end

describe("a secret that was exchanged", function()
  local served

  setup(function()
    served = host.start { config = { features = golden.features(true) }, secrets = { runpod = { api_key = key(1) } } }
  end)
  teardown(function() served:remove() end)

  local function note_of(text)
    local body = { job = { endpoint_id = "abc", input = { note = "see " .. text .. " there" } } }
    return served:post(providers.path(providers.runpod, "submit"), body).json.upstream.body.input.note
  end

  it("stays masked, as those before it do", function()
    assert.equal("***", note_of(key(1)))
    for i = 2, 4 do
      served:write("config/comfyvn.secrets.json", exact.encode { runpod = { api_key = key(i) } })
      served:eventually(function() return note_of(key(i)) == "***" end)
    end
    for i = 1, 4 do assert.equal("***", note_of(key(i)), i) end
    assert.equal("see " .. key(5) .. " there", note_of(key(5)))
  end)
end)
