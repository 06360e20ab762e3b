-- The simulated vendors' directories of models: they answer as was recorded (spec/contracts/directory.json), page as the vendors
-- do, do what their switches say, and the journal tells who asked for what, with or without a key.
local exact = require "spec.support.exact_json"
local host = require "spec.support.host"
local shell = require "spec.support.shell"

local CASES = exact.decode(assert(shell.read("spec/contracts/directory.json")))
-- The provider's id of a vendor, where it is another.
local PROVIDERS = { huggingface = "hf_inference_endpoints", pika = "fal" }
local KEYS = { ["$FAL_KEY"] = "id:secret", ["$FAL_ADMIN_KEY"] = "admin-id:secret", bad = "wrong" }

-- What is set before a recorded case: switches by its name. The others need none.
local SWITCHES = { ["fal list: too many requests"] = { ["429"] = true },
  ["runpod public endpoints: GraphQL error inside a 200"] = { ["5xx"] = true } }

-- What the simulator does not answer, and why.
local NOT_HERE = {
  ["fal describe: unknown id, as 404"] = "answered with an empty list, the other way that clients must take",
  ["fal result: what was billed, told by x-fal-billable-units"] = "a job: simulator_image_spec has those",
  ["fal list, last page with an endpoint that has no metadata"] = "the cursor of a longer list",
  ["fal billing events of one request (ADMIN key)"] = "no such request: see below",
  ["replicate search by method QUERY"] = "no method that civetweb lets pass",
  ["replicate prediction: metrics that are billed"] = "a job", ["runpod public endpoint: what it cost"] = "a job",
  ["luma models and lengths in the published OpenAPI (YAML)"] = "nobody reads it",
  ["stability list of engines (v1, dead models)"] = "nobody reads it",
}

local sim

local function send(method, url, body, headers)
  return sim:request(method, (url:gsub("^https?:/", "")), body, headers)
end

local function kind_of(value)
  if value == exact.null then return "null" end
  if type(value) == "table" then return exact.is_array(value) and "list" or "object" end
  return type(value)
end

-- Every member that was recorded is there, and of the same type. What may be null is null or not.
local function check_shape(recorded, got, path)
  local is, was = kind_of(got), kind_of(recorded)
  if was == "null" then return end
  assert.equal(was, is, path)
  if was == "list" then
    if recorded[1] ~= nil and got[1] ~= nil then check_shape(recorded[1], got[1], path .. "[]") end
  elseif was == "object" then
    for name, value in pairs(recorded) do
      if got[name] ~= exact.null then check_shape(value, got[name], path .. "." .. name) end
    end
  end
end

local function request_of(case)
  local url, headers = case.request.url, {}
  for _, pair in ipairs(case.request.query or {}) do
    url = url .. (url:find("?", 1, true) and "&" or "?") .. pair[1] .. "=" .. pair[2]
  end
  for name, value in pairs(case.request.headers) do
    local scheme, key = value:match("^(%a+) (%S+)$")
    headers[name] = name == "authorization" and scheme .. " " .. (KEYS[key] or "some-key") or value
  end
  return case.request.method, url, case.request.body ~= exact.null and case.request.body or nil, headers
end

describe("the simulated directories", function()
  setup(function()
    sim = host.start { arguments = { "simulate", "--listen", "127.0.0.1:0", "--directory", "fal:models=1500" },
      config = "" }
  end)
  teardown(function() sim:remove() end)

  local function switch(provider, switches)
    assert.equal(200, sim:request("PUT", "/directory/" .. provider, exact.encode(switches or {})).status)
  end

  local function models(query, headers)
    return send("GET", "https://api.fal.ai/v1/models" .. (query or ""), nil, headers)
  end

  local function price(id, headers)
    return send("GET", "https://api.fal.ai/v1/models/pricing?endpoint_id=" .. id, nil, headers or { Authorization = "Key a:b" })
  end

  for _, case in ipairs(CASES) do
    if not NOT_HERE[case.name] and case.request.url:find("^http") then
      it("answer as recorded: " .. case.name, function()
        local provider = PROVIDERS[case.vendor] or case.vendor
        switch(provider, SWITCHES[case.name] or { models = 1500 })
        local answer = send(request_of(case))
        switch(provider, { models = 1500 })
        assert.equal(case.response.status, answer.status, answer.body)
        check_shape(case.response.body, exact.decode(answer.body), "body")
        for name in pairs(case.response.headers) do
          if name ~= "cache-control" then assert.truthy(answer.headers[name:lower()], name) end
        end
      end)
    end
  end

  it("page by number, sixteen pages of a hundred, and every model once", function()
    local seen, count, pages, cursor = {}, 0, 0, nil
    repeat
      local page = models("?limit=100" .. (cursor and "&cursor=" .. cursor or "")).json
      for _, row in ipairs(page.models) do
        assert.is_nil(seen[row.endpoint_id])
        seen[row.endpoint_id], count = true, count + 1
      end
      pages, cursor = pages + 1, page.has_more and page.next_cursor
      assert.equal(not page.has_more, page.next_cursor == exact.null)
    until not cursor
    assert.equal(16, pages)
    assert.is_true(count > 1500, tostring(count))
  end)

  it("expand ten at a time, and ignore the bracketed name", function()
    local rows = models("?limit=100&expand=openapi-3.0").json.models
    assert.equal(10, #rows)
    for _, row in ipairs(rows) do assert.is_table(row.openapi) end
    rows = models("?limit=100&expand[]=openapi-3.0").json.models
    assert.equal(100, #rows)
    assert.is_nil(rows[1].openapi)
  end)

  it("search by words, category and status", function()
    for _, row in ipairs(models("?q=FLUX+pro").json.models) do
      assert.truthy(row.endpoint_id:find("flux.*pro"), row.endpoint_id)
    end
    for _, row in ipairs(models("?category=text-to-video&limit=100").json.models) do
      assert.equal("text-to-video", row.metadata.category)
    end
    assert.equal("fal-ai/flux/dev/redux", models("?status=deprecated").json.models[1].endpoint_id)
  end)

  -- A switch, and what it makes of the answer about flux/dev.
  local function input_of(answer)
    return answer.json.models[1].openapi.components.schemas.FluxDevInput
  end
  local DESCRIBE = "?endpoint_id=fal-ai/flux/dev&expand=openapi-3.0"
  local SPOILT = {
    dangling_ref = function(answer) assert.truthy(input_of(answer).properties.trajectory["$ref"]:find("Trajectory$")) end,
    cyclic_ref = function(answer) assert.truthy(input_of(answer).properties.tree["$ref"]:find("FluxDevInput$")) end,
    narrowed = function(answer) assert.equal(2, input_of(answer).properties.num_images.maximum) end,
    many_inputs = function(answer) assert.is_table(input_of(answer).properties.input_10000) end,
    odd_names = function(answer) assert.is_table(input_of(answer).properties["<script>alert(1)</script>"]) end,
    huge_row = function(answer) assert.is_true(#answer.body > 3 * 1024 * 1024) end,
    html = function(answer) assert.truthy(answer.headers["content-type"]:find("text/html")) end,
    ["401"] = function(answer) assert.equal("authorization_error", answer.json.error.type) end,
    ["403"] = function(answer) assert.equal(403, answer.status) end,
    ["5xx"] = function(answer) assert.equal("server_error", answer.json.error.type) end,
  }
  for name, check in pairs(SPOILT) do
    it("do what a switch says, until it is off: " .. name, function()
      switch("fal", { [name] = true })
      check(models(DESCRIBE))
      switch("fal")
      local answer = models(DESCRIBE)
      assert.equal(4, input_of(answer).properties.num_images.maximum)
      assert.is_true(#answer.body < 10000)
    end)
  end

  it("say 429 with a Retry-After when told, so many times and no more", function()
    switch("fal", { ["429"] = true, retry_after = 3, times = 2, after = 1, only = "model" })
    assert.equal(200, models("?limit=1").status)
    for _ = 1, 2 do
      local answer = models(DESCRIBE)
      assert.equal(429, answer.status)
      assert.equal("3", answer.headers["retry-after"])
    end
    assert.equal(200, models(DESCRIBE).status)
    switch("fal")
  end)

  it("list again, lead astray, and lead elsewhere", function()
    switch("fal", { repeating_cursor = true })
    assert.equal("Mg", models("?limit=100&cursor=Mg").json.next_cursor)
    switch("fal", { foreign_next = true })
    assert.truthy(models("?limit=2").json.next_cursor:find("elsewhere.example", 1, true))
    switch("fal", { overlapping_pages = true })
    local first, second = models("?limit=3").json.models, models("?limit=3&cursor=Mg").json.models
    assert.equal(first[3].endpoint_id, second[2].endpoint_id)
    switch("fal")
  end)

  it("have prices for whoever has a key, and change them", function()
    assert.equal(401, price("fal-ai/flux/dev", {}).status)
    assert.equal(0.025, price("fal-ai/flux/dev").json.prices[1].unit_price)
    assert.equal(0, #price("fal-ai/no-such-model").json.prices)
    for name, expected in pairs { price_changed = 0.05, price_zero = 0, price_negative = -0.025, price_currency = 0.025 } do
      switch("fal", { [name] = true })
      local row = price("fal-ai/flux/dev").json.prices[1]
      assert.equal(expected, row.unit_price, name)
      assert.equal(name == "price_currency" and "EUR" or "USD", row.currency)
    end
    switch("fal")
  end)

  it("know of a model that it is gone, deprecated, or in no list", function()
    switch("fal", { gone = "fal-ai/flux/dev" })
    assert.equal(0, #models(DESCRIBE).json.models)
    switch("fal", { deprecated = "fal-ai/flux/dev" })
    assert.equal("deprecated", models(DESCRIBE).json.models[1].metadata.status)
    switch("fal", { unlisted = "fal-ai/flux/dev" })
    assert.equal(1, #models(DESCRIBE).json.models)
    for _, row in ipairs(models("?q=flux&limit=100").json.models) do assert.are_not.equal("fal-ai/flux/dev", row.endpoint_id) end
    switch("fal")
  end)

  it("of Replicate page by URLs, and search by words and tasks", function()
    switch("replicate", { models = 100 })
    local url, count = "https://api.replicate.com/v1/models", 0
    local key = { Authorization = "Bearer some-key" }
    repeat
      local page = send("GET", url, nil, key).json
      count, url = count + #page.results, page.next ~= exact.null and page.next:gsub("^http://[^/]+", "https:/")
    until not url
    assert.is_true(count >= 100, tostring(count))
    local found = send("GET", "https://api.replicate.com/v1/search?query=text-to-video&limit=50", nil, key).json.models
    assert.equal(20, #found)
    for _, row in ipairs(found) do assert.same({ "text-to-video" }, row.metadata.tags) end
    assert.equal(401, send("GET", "https://api.replicate.com/v1/models", nil, {}).status)
  end)

  it("of Replicate have one version for each schema", function()
    local function version()
      local answer = send("GET", "https://api.replicate.com/v1/models/nightmareai/real-esrgan", nil,
        { Authorization = "Bearer k" })
      return answer.json.latest_version.id
    end
    local before = version()
    switch("replicate", { narrowed = true })
    assert.are_not.equal(before, version())
    switch("replicate")
    assert.equal(before, version())
    assert.equal(200, send("GET", "https://api.replicate.com/v1/models/nightmareai/real-esrgan/versions/" .. before, nil,
      { Authorization = "Bearer k" }).status)
  end)

  it("of Hugging Face page by Link, and have a mapping when it is asked for with brackets", function()
    switch("hf_inference_endpoints", { models = 40 })
    local url, count = "https://huggingface.co/api/models?inference_provider=all&limit=10&expand[]=inferenceProviderMapping", 0
    repeat
      local answer = send("GET", url)
      for _, row in ipairs(answer.json) do
        assert.is_table(row.inferenceProviderMapping)
        count = count + 1
      end
      url = answer.headers.link and answer.headers.link:match("^<http://[^/]+(/[^>]+)>; rel=\"next\"$")
      url = url and "https:/" .. url
    until not url
    assert.equal(43, count)
    local bare = send("GET", "https://huggingface.co/api/models?inference_provider=all&limit=1").json[1]
    assert.is_nil(bare.inferenceProviderMapping)
  end)

  it("that are files have an ETag, and are not sent again to whoever has them", function()
    for provider, path in pairs { runway = "runwayml/openapi/refs/heads/next/openapi.json",
      stability = "Stability-AI/rest-api-support/main/generated/spec/merged.json" } do
      local url = "https://raw.githubusercontent.com/" .. path
      local etag = send("GET", url).headers.etag
      local again = send("GET", url, nil, { ["If-None-Match"] = etag })
      assert.equal(304, again.status)
      assert.equal("", again.body)
      switch(provider, { narrowed = true })
      assert.equal(200, send("GET", url, nil, { ["If-None-Match"] = etag }).status)
      switch(provider)
    end
  end)

  it("say 429 as their vendors do: RunPod with a page", function()
    switch("runpod", { ["429"] = true })
    local answer = send("POST", "https://api.runpod.io/graphql", { query = "{ allAiApiPublicConfigs { id } }" })
    assert.equal(429, answer.status)
    assert.truthy(answer.body:find("<html>", 1, true))
    switch("runpod")
  end)

  it("are counted, with the host and whether a key came", function()
    sim:request("DELETE", "/journal")
    models("?limit=1")
    price("fal-ai/flux/dev")
    local requests = sim:get("/journal?provider=fal").json.requests
    assert.equal(2, #requests)
    assert.same({ "GET", "api.fal.ai", "/v1/models?limit=1", exact.null, false },
      { requests[1].method, requests[1].host, requests[1].path, requests[1].credential, requests[1].paid })
    assert.equal("Key ***", requests[2].credential)
  end)

  it("refuse switches that are none, and vendors that are none", function()
    assert.equal(400, sim:request("PUT", "/directory/fal", '{"htm":true}').status)
    assert.equal(400, sim:request("PUT", "/directory/fal", '{"html":1}').status)
    assert.equal(400, sim:request("PUT", "/directory/fal", "{").status)
    assert.equal(404, sim:request("PUT", "/directory/nobody", "{}").status)
    for _, text in ipairs { "fal", "fal:htm", "nobody:html", "fal:models=many" } do
      local code, _, err = host.run { "simulate", "--listen", "127.0.0.1:0", "--directory", text }
      assert.are_not.equal(0, code)
      assert.truthy(err:find(text, 1, true), err)
    end
  end)
end)
