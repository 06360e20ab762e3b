-- The directory through the doors of clients, against the simulator: what is listed, described, priced, what may go
-- wrong there, and whom it asks for what. A submit is neither delayed nor refused for it.
local exact = require "spec.support.exact_json"
local live_support = require "spec.support.live"
local prometheus = require "spec.support.prometheus"
local socket = require "socket"
local timely = require "spec.support.timely"

-- Who is asked: a model of the vendor's list, one of its inputs, words that find it, its live price, and the only hosts.
local VENDORS = {
  fal = { id = "fal-ai/flux/dev", input = "num_images", words = "flux dev", usd = 0.025, hosts = { "api.fal.ai" } },
  pika = { id = "fal-ai/pika/v2.2/text-to-video", input = "prompt", words = "pika text-to-video", usd = 0.2,
    hosts = { "api.fal.ai" } },
  replicate = { id = "nightmareai/real-esrgan", input = "scale", words = "real-esrgan", part = true,
    hosts = { "api.replicate.com" } },
  runpod = { id = "minimax-hailuo-2-3-fast", words = "hailuo", hosts = { "api.runpod.io" } },
  hf_inference_endpoints = { id = "black-forest-labs/FLUX.1-dev", input = "inputs", words = "flux.1-dev",
    hosts = { "huggingface.co" } },
  runway = { id = "image_to_video/gen4_turbo", input = "promptImage", words = "gen4_turbo",
    hosts = { "raw.githubusercontent.com", "api.dev.runwayml.com" } },
  stability = { id = "core", words = "core", hosts = { "raw.githubusercontent.com" } },
}

-- Where no key may go: what is there is for everybody, or is not the script's own.
local NO_KEY = { ["raw.githubusercontent.com"] = true, ["api.runpod.io"] = "/graphql", ["elsewhere.example"] = true }

local function config(change)
  return function(settings)
    settings.directory = { enabled = true, providers = {} }
    for id in pairs(VENDORS) do settings.directory.providers[id] = { enabled = true } end
    if change then change(settings) end
  end
end

local function start(options)
  options = options or {}
  return live_support.start { simulate = options.simulate, config = config(options.config), hurry = options.hurry or 600,
    secrets = options.secrets }
end

local function switch(live, provider, switches)
  local answer = live.simulator:request("PUT", "/directory/" .. provider, exact.encode(switches or {}))
  assert(answer.status == 200, answer.body)
end

local function models(live, provider, query)
  return live.host:get(live:path(provider, "models" .. (query or "")))
end

local function one(live, provider, id)
  local answer = models(live, provider, "?id=" .. id)
  return answer.status == 200 and answer.json.model or nil
end

local function refresh(live, provider, model)
  local answer = live.host:post("/api/directory/refresh", { provider = provider, model = model })
  assert(answer.status == 202, answer.body)
end

local function listed(live, provider)
  return live.host:eventually(function()
    -- a vendor whose list cannot be had as a whole is asked for what clients search
    local answer = models(live, provider, VENDORS[provider].part and "?q=" .. VENDORS[provider].words).json
    return answer.directory.as_of ~= exact.null and answer.directory.models > 0 and answer
  end)
end

local function priced(live, provider, id)
  return live.host:eventually(function()
    local model = one(live, provider, id)
    return model and type(model.price) == "table" and model.price.usd and model -- not the script's words
  end)
end

local function journal(live, query)
  return live.simulator:get("/journal" .. (query or "")).json.requests
end

local function dry(live, provider, body)
  body.dry_run = true
  return live:submit(provider, body)
end

describe("the directory against the simulator, off", function()
  it("asks nobody for anything, whatever clients want", function()
    local live = start { config = function(settings) settings.directory.enabled = false end }
    finally(function() live:remove() end)
    for id, vendor in pairs(VENDORS) do
      assert.equal("off", models(live, id, "?q=flux").json.directory.state)
      models(live, id, "?id=" .. vendor.id)
      live.host:get(live:path(id, "inputs?model=some/model"))
      assert.equal(200, dry(live, id, live_support.KINDS[id] ~= "gpu/public" and { model = vendor.id } or {}).status)
      assert.equal(409, live.host:post("/api/directory/refresh", { provider = id }).status)
    end
    socket.sleep(1)
    assert.same({}, journal(live))
  end)
end)

describe("the directory against the simulator", function()
  local live
  setup(function()
    live = start()
    for id in pairs(VENDORS) do listed(live, id) end
  end)
  teardown(function() live:remove() end)

  for id, vendor in pairs(VENDORS) do
    it("lists, finds, describes and prices models of " .. id, function()
      local answer = listed(live, id)
      assert.equal("fresh", answer.directory.state)
      local found = models(live, id, "?q=" .. vendor.words:gsub(" ", "+") .. "&limit=500").json.models
      local ids = {}
      for _, row in ipairs(found) do ids[row.id] = row end
      assert.is_table(ids[vendor.id], vendor.words)
      local model = one(live, id, vendor.id)
      assert.equal(vendor.id, model.id)
      if vendor.input then assert.is_table(model.inputs.properties[vendor.input]) end
      if vendor.usd then
        local price = priced(live, id, vendor.id).price
        assert.equal(vendor.usd, price.usd)
        assert.equal("USD", price.currency)
        assert.matches("^https://", price.source)
        assert.matches("^%d%d%d%d%-%d%d%-%d%dT", price.as_of)
      end
    end)
  end

  it("asked for nothing that costs, in no other place, and told no key to strangers", function()
    local hosts = {}
    for _, vendor in pairs(VENDORS) do
      for _, host in ipairs(vendor.hosts) do hosts[host] = true end
    end
    local requests, asked = journal(live), {}
    for _, request in ipairs(requests) do
      asked[request.host] = true
      assert.is_true(hosts[request.host] or false, request.host)
      assert.is_false(request.paid)
      assert.is_true(request.method == "GET" or request.path == "/graphql", request.method .. " " .. request.path)
      if NO_KEY[request.host] == true or NO_KEY[request.host] == request.path then
        assert.equal(exact.null, request.credential, request.host)
      end
    end
    assert.same(hosts, asked)
    assert.same({}, journal(live, "?provider=elsewhere"))
  end)

  it("asks once for what many clients want", function()
    local id = "fal-ai/flux-lora"
    for _ = 1, 20 do
      assert.is_table(one(live, "fal", id).inputs)
      dry(live, "fal", { model = id })
    end
    local count = 0
    for _, request in ipairs(journal(live, "?provider=fal")) do
      if request.path:find("flux%-lora") or request.path:find("flux%%2Dlora") then
        count = count + (request.path:find("expand=", 1, true) and 1 or 0)
      end
    end
    assert.equal(1, count)
  end)

  it("gives estimates the live price, its source and its day", function()
    priced(live, "fal", "fal-ai/flux/dev")
    local answer = dry(live, "fal", { model = "fal-ai/flux/dev", parameters = { image_size = "square_hd", num_images = 2 } }).json
    assert.equal(0.05, answer.estimates.estimated_cost_usd)
    assert.matches("^https://api%.fal%.ai/", answer.estimates.source)
    assert.matches("^2%d%d%d%-", answer.estimates.as_of)
    assert.equal("fresh", answer.directory.state)
  end)

  it("checks a body in the vendor's own terms, under the client's own names, before anything is paid", function()
    one(live, "fal", "fal-ai/flux-lora")
    local answer = dry(live, "fal", { model = "fal-ai/flux-lora", parameters = { num_images = 99 } }).json
    assert.is_nil(answer.upstream)
    local told = table.concat(answer.live.missing, "\n")
    assert.truthy(told:find("parameters.num_images", 1, true), told)
    answer = dry(live, "fal", { model = "fal-ai/flux-lora", parameters = { num_images = 99 }, directory = "ignore" }).json
    assert.equal(99, answer.upstream.body.num_images)
    assert.truthy(table.concat(answer.warnings, "\n"):find("num_images", 1, true))
  end)

  it("refuses no model for being unknown", function()
    local answer = dry(live, "fal", { model = "acme/no-such-thing", parameters = { odd = 1 } }).json
    assert.equal(1, answer.upstream.body.odd)
    assert.is_nil(answer.estimates.estimated_cost_usd)
  end)
end)

-- What goes wrong at fal ---------------------------------------------------------------------------------------------------

local KNOWN = "fal-ai/flux/dev"

-- A submit is answered at once and well, dry and live.
local function takes_submits(live)
  return timely.within(2, function()
    local answer = dry(live, "fal", { model = KNOWN, parameters = { image_size = "square_hd" } })
    assert.equal(200, answer.status, answer.body)
    assert.is_table(answer.json.upstream)
    return live:job("fal", { model = KNOWN, parameters = { image_size = "square_hd" }, max_cost_usd = 0.1 }), answer.json
  end)
end

local function failing(live, provider)
  return live.host:eventually(function()
    local state = models(live, provider).json.directory
    return state.state == "failing" and state
  end)
end

local function recovers(live, provider)
  switch(live, provider)
  refresh(live, provider)
  live.host:eventually(function() return models(live, provider).json.directory.state == "fresh" end)
end

describe("a directory that fails", function()
  local live, before
  setup(function()
    live = start { hurry = 60 }
    before = listed(live, "fal").directory.models
    priced(live, "fal", KNOWN)
  end)
  teardown(function()
    assert.same({}, journal(live, "?provider=elsewhere"))
    live:remove()
  end)

  -- A refusal, and what its cause is told with.
  local TOLD = { ["401"] = "401", ["403"] = "403", ["429"] = "429", ["5xx"] = "503", html = "list", cut = "" }
  for name, text in pairs(TOLD) do
    it("with " .. name .. " keeps what it has, says why, and holds no submit up", function()
      switch(live, "fal", { [name] = true })
      refresh(live, "fal")
      local state = failing(live, "fal")
      assert.truthy(state.failure:find(text, 1, true), state.failure)
      assert.is_number(state.age_seconds)
      assert.equal(before, state.models)
      assert.is_table(one(live, "fal", KNOWN).inputs)
      assert.equal(0.025, one(live, "fal", KNOWN).price.usd)
      local job, answer = takes_submits(live)
      assert.equal("failing", answer.directory.state)
      assert.equal(0.025, answer.estimates.estimated_cost_usd)
      assert.equal("done", live:ended(job).status)
      recovers(live, "fal")
    end)
  end

  it("by hanging holds no submit up, and shows what it has", function()
    switch(live, "fal", { hang = true })
    refresh(live, "fal")
    refresh(live, "fal", KNOWN)
    socket.sleep(0.3)
    local job = takes_submits(live)
    assert.equal(before, models(live, "fal").json.directory.models)
    local began = socket.gettime()
    assert.equal(202, live:submit("fal", { model = "acme/never-seen", max_cost_usd = 0.01 }).status)
    assert.is_true(socket.gettime() - began < 15, "a model that was never seen is waited for 2 seconds at most")
    assert.equal("done", live:ended(job).status)
    switch(live, "fal")
  end)

  it("by hanging does not keep the host from stopping", function()
    switch(live, "fal", { hang = true })
    refresh(live, "fal")
    live.host:eventually(function() return live.simulator:get("/directory").json.fal.refused > 0 end)
    local began = socket.gettime()
    live.host:stop()
    assert.is_true(socket.gettime() - began < 25, "it waited for what nobody needs")
    switch(live, "fal")
    live.host:start_again()
  end)
end)

describe("a directory that is odd", function()
  local live
  setup(function()
    live = start { hurry = 60, simulate = { "--directory", "fal:models=250" } }
    listed(live, "fal")
    live.host:eventually(function() return models(live, "fal").json.directory.complete end)
  end)
  teardown(function()
    assert.same({}, journal(live, "?provider=elsewhere"))
    live:remove()
  end)

  local function count() return models(live, "fal").json.directory.models end

  -- Describes the model anew with these switches on, and waits until that was done.
  local function describe_with(switches, id)
    switches.models = 250
    switch(live, "fal", switches)
    local asked = live.simulator:get("/directory").json.fal.asked
    refresh(live, "fal", id or KNOWN)
    live.host:eventually(function() return live.simulator:get("/directory").json.fal.asked >= asked + 2 end)
    socket.sleep(0.2)
    return one(live, "fal", id or KNOWN)
  end

  local function crawl_with(switches)
    switches.models = 250
    switch(live, "fal", switches)
    local asked = live.simulator:get("/directory").json.fal.asked
    refresh(live, "fal")
    live.host:eventually(function() return live.simulator:get("/directory").json.fal.asked >= asked + 2 end)
    socket.sleep(0.5)
  end

  for _, name in ipairs { "overlapping_pages", "repeating_cursor", "foreign_next", "huge_row" } do
    it("loses no model by " .. name, function()
      local before = count()
      crawl_with { [name] = true }
      assert.equal(before, count())
      assert.is_table(one(live, "fal", KNOWN))
      takes_submits(live)
      recovers(live, "fal")
      switch(live, "fal", { models = 250 })
    end)
  end

  -- What is published of a schema, and what becomes of it.
  local SCHEMAS = {
    dangling_ref = function(model)
      assert.is_table(model.inputs.properties.trajectory)
      assert.truthy(table.concat(model.warnings, "\n"):find("Trajectory", 1, true))
    end,
    cyclic_ref = function(model) assert.is_table(model.inputs.properties.prompt) end,
    many_inputs = function(model)
      assert.equal(4, model.inputs.properties.num_images.maximum)
      assert.truthy(model.failure:find("more than 500 inputs", 1, true))
      assert.is_number(model.age_seconds)
    end,
    odd_names = function(model)
      local text = exact.encode(model.inputs)
      assert.is_nil(text:find("\27", 1, true))
      assert.is_nil(text:find("\\u001b", 1, true))
      assert.is_nil(text:find("\\n", 1, true))
    end,
    huge_row = function(model) assert.is_true(#exact.encode(model) < 300000) end,
    narrowed = function(model) assert.equal(2, model.inputs.properties.num_images.maximum) end,
    deprecated = function(model) assert.equal("deprecated", model.status) end,
    unlisted = function(model) assert.is_table(model.inputs) end,
  }
  for name, check in pairs(SCHEMAS) do
    it("by " .. name .. " is shown as far as it goes, and takes submits", function()
      check(describe_with { [name] = (name == "deprecated" or name == "unlisted") and KNOWN or true })
      takes_submits(live)
      assert.equal(4, describe_with({}).inputs.properties.num_images.maximum)
    end)
  end

  it("has a price that follows the vendor's, and keeps it, with the cause, where that is no price in US dollars", function()
    describe_with {}
    priced(live, "fal", KNOWN)
    assert.equal(0.05, describe_with({ price_changed = true }).price.usd)
    local answer = dry(live, "fal", { model = KNOWN, parameters = { image_size = "square_hd" } }).json
    assert.equal(0.05, answer.estimates.estimated_cost_usd)
    for _, name in ipairs { "price_zero", "price_negative", "price_currency" } do
      local model = describe_with({ [name] = true })
      assert.equal(0.05, model.price.usd, name)
      assert.truthy(model.price_failure:find("no amount of US dollars", 1, true))
      takes_submits(live)
    end
    assert.equal(0.025, describe_with({}).price.usd)
  end)

  it("whose model is gone says so, and sends a submit all the same", function()
    crawl_with { gone = "fal-ai/flux-lora" }
    local model = describe_with({ gone = "fal-ai/flux-lora" }, "fal-ai/flux-lora")
    assert.is_true(model == nil or model.status == "gone" or model.failure == "the vendor has no such model")
    local answer = dry(live, "fal", { model = "fal-ai/flux-lora" })
    assert.equal(200, answer.status)
    assert.is_table(answer.json.upstream)
    switch(live, "fal", { models = 250 })
  end)
end)

-- What goes wrong at any vendor --------------------------------------------------------------------------------------------

describe("whichever directory fails", function()
  local live
  setup(function()
    live = start { hurry = 6000 }
    for id in pairs(VENDORS) do listed(live, id) end
  end)
  teardown(function() live:remove() end)

  -- The vendor whose answers these are: Pika's are fal's.
  local function simulated(id) return id == "pika" and "fal" or id end

  for id, vendor in pairs(VENDORS) do
    if not vendor.part then -- Runway's file is a 304 by now, of which there is nothing to cut
      for _, name in ipairs { "5xx", "429", "html", id ~= "runway" and "cut" or nil } do
        it(("keeps its models and takes submits: %s with %s"):format(id, name), function()
          local before = models(live, id).json.directory
          switch(live, simulated(id), { [name] = true })
          refresh(live, id)
          local state = failing(live, id)
          assert.equal(before.models, state.models)
          assert.is_number(state.age_seconds)
          assert.is_true(#state.failure > 0 and #state.failure < 1000)
          assert.is_nil(state.failure:find("[<>]"))
          assert.equal(vendor.id, one(live, id, vendor.id).id)
          timely.within(2, function() assert.equal(200, dry(live, id, {}).status) end)
          recovers(live, simulated(id) == id and id or "fal")
          refresh(live, id)
          live.host:eventually(function() return models(live, id).json.directory.state == "fresh" end)
        end)
      end
    end
  end

  it("follows no `next` to another host, and sends no key there", function()
    switch(live, "hf_inference_endpoints", { models = 300, foreign_next = true })
    switch(live, "replicate", { models = 300, foreign_next = true })
    refresh(live, "hf_inference_endpoints")
    models(live, "replicate", "?q=amber")
    socket.sleep(2)
    assert.same({}, journal(live, "?provider=elsewhere"))
    assert.equal(VENDORS.hf_inference_endpoints.id,
      one(live, "hf_inference_endpoints", VENDORS.hf_inference_endpoints.id).id)
  end)
end)

describe("1,500 models with their schemas", function()
  local live
  setup(function()
    live = start { hurry = 6000, simulate = { "--directory", "fal:models=1500" } }
    live.host:eventually(function() return listed(live, "fal").directory.complete end)
  end)
  teardown(function() live:remove() end)

  local function figure(name)
    return prometheus.value(prometheus.read(live.host:get("/metrics").body), "providerd_directory_" .. name, { provider = "fal" })
  end

  local function all_ids()
    local ids, cursor = {}, ""
    repeat
      local page = models(live, "fal", "?limit=500&status=active&cursor=" .. cursor).json
      for _, row in ipairs(page.models) do ids[#ids + 1] = row.id end
      cursor = type(page.next) == "string" and page.next or nil
    until not cursor
    return ids
  end

  it("are all described, and none is lost by a kill -9 in between", function()
    local ids = all_ids()
    assert.is_true(#ids >= 1500, #ids)
    for i = 1, #ids // 2 do one(live, "fal", ids[i]) end
    local before = figure("described")
    assert.is_true(before >= 700, before)
    live.host:kill()
    live.host:start_again()
    live.host:eventually(function() return figure("described") >= before end)
    for i = #ids // 2, #ids do one(live, "fal", ids[i]) end
    live.host:eventually(function() return figure("described") >= 1500 end)
    assert.is_true(figure("bytes") < 16 * 1024 * 1024)
  end)

  it("are searched within 5 milliseconds of a processor", function() -- others have this machine too: no clock on the wall
    local words = { "amber", "flux", "cedar+delta", "text-to-video", "kling", "juniper-0999", "q", "image", "" }
    local path = live:path("fal", "models")
    timely.took(0.005, function()
      local client = live.host:connect()
      local took = timely.cpu_seconds(live.host, 400, function(i)
        assert.equal(200, client:request("GET", path .. "?q=" .. words[i % #words + 1]).status)
      end)
      client:close()
      return took
    end)
  end)
end)
