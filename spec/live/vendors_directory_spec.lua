-- The directory of every vendor that has one, read by the scripts that come with the host from the simulated vendors: lists
-- are read and searched, a model is described, nothing is paid, and no key goes to a host that is not the script's. Off,
-- nobody is asked.
local contract = require "spec.support.contract"
local exact = require "spec.support.exact_json"
local live = require "spec.support.live"
local probes = require "spec.support.input_probes"

-- A model that the vendor tells of, and what is in its schema; nil: the vendor has no schemas.
local DESCRIBED = {
  fal = { id = "fal-ai/flux/dev", input = "num_images" },
  hf_inference_endpoints = { id = "black-forest-labs/FLUX.1-dev", input = "inputs" },
  replicate = { id = "black-forest-labs/flux-dev-lora", input = "num_outputs" },
  runway = { id = "image_to_video/gen4_turbo", input = "promptImage" },
  stability = { id = "stable-image/generate/core", input = "aspect_ratio" },
}
-- Models whose schemas were recorded, with the path of the provider.
local RECORDED = {
  ["image/fal"] = {
    "fal-ai/flux/dev", "fal-ai/bytedance/seedream/v4/text-to-image", "fal-ai/flux-lora", "fal-ai/playai/tts/v3",
  },
  ["video/fal"] = {
    "fal-ai/kling-video/v2.1/standard/image-to-video", "fal-ai/kling-video/v3/pro/image-to-video", "fal-ai/topaz/upscale/video",
  },
  ["gpu/public/replicate"] = {
    "black-forest-labs/flux-dev-lora", "nightmareai/real-esrgan", "google/nano-banana-pro", "laion-ai/laionide-v2",
  },
  ["video/runway"] = { "image_to_video/gen4_turbo" },
}

-- Vendors whose lists are too long to be read: they are searched.
local SEARCHED = { replicate = "banana" }
local STRANGERS = { ["raw.githubusercontent.com"] = true, ["api.runpod.io"] = true }

local function has_directory(id)
  return contract.load(id).models ~= nil
end

local function start(on)
  return live.start { config = function(config)
    local providers = {}
    for id in pairs(live.KINDS) do providers[id] = { enabled = true } end
    config.directory = { enabled = on, providers = providers }
  end }
end

local function models_path(id, query)
  return "/api/providers/" .. live.KINDS[id] .. "/" .. id .. "/models?" .. query
end

describe("the directories of the vendors", function()
  local running
  setup(function() running = start(true) end)
  teardown(function() running:remove() end)

  for id in pairs(live.KINDS) do
    if SEARCHED[id] then
      it("are searched: " .. id, function()
        assert.is_true(running.host:eventually(function()
          return running.host:get(models_path(id, "q=" .. SEARCHED[id])).json.directory.models > 0
        end))
      end)
    elseif has_directory(id) then
      it("are read whole: " .. id, function()
        local list = running.host:eventually(function()
          local answer = running.host:get(models_path(id, "limit=500")).json
          return answer.directory.state == "fresh" and answer
        end)
        assert.is_truthy(list, running.host:get(models_path(id, "limit=1")).body)
        assert.is_true(list.directory.models > 0)
      end)
    end
    local wanted = has_directory(id) and DESCRIBED[id]
    if wanted then
      it("describe a model in the vendor's own words: " .. id, function()
        local model = running.host:eventually(function()
          local answer = running.host:get(models_path(id, "id=" .. wanted.id:gsub("/", "%%2F"))).json
          return type(answer.model) == "table" and type(answer.model.inputs) == "table" and answer.model
        end)
        assert.is_truthy(model, running.host:get(models_path(id, "id=" .. wanted.id:gsub("/", "%%2F"))).body)
        assert.is_table(model.inputs.properties[wanted.input])
      end)
    end
  end

  for path, ids in pairs(RECORDED) do
    for _, id in ipairs(ids) do
      it("cannot lie: " .. path .. ", " .. id, function()
        path = path:find "^/" and path or "/api/providers/" .. path
        local escaped = id:gsub("/", "%%2F")
        local function inputs_of() return running.host:get(path .. "/models?id=" .. escaped).json.model.inputs end
        running.host:eventually(function()
          local ok, inputs = pcall(inputs_of)
          return ok and inputs and inputs ~= exact.null
        end)
        local choice = probes.plain(running.host:get(path .. "/inputs?model=" .. escaped).json.choice)
        local lies, tried = probes.lies(choice, function(request)
          return probes.read(running.host:post(path .. "/submit", request))
        end)
        assert.same({}, lies)
        assert.is_true(tried > 5)
      end)
    end
  end

  it("cost nothing, and get no key that is not theirs", function()
    local requests = running.simulator:get("/journal").json.requests
    assert.is_true(#requests > 3)
    for _, request in ipairs(requests) do
      assert.is_false(request.paid)
      if STRANGERS[request.host] then assert.is_not_string(request.credential) end
    end
  end)
end)

describe("the directories of the vendors, switched off", function()
  it("are not asked, whatever is asked of the host", function()
    local running = start(false)
    for id in pairs(live.KINDS) do
      assert.equal("off", running.host:get(models_path(id, "limit=1")).json.directory.state)
      running.host:post(running:path(id, "submit"), live.JOBS[id])
    end
    assert.same({}, running.simulator:get("/journal").json.requests)
    running:remove()
  end)
end)
