-- The tools of MCP that do not pay, by the cases of a file: what each answers, and what it refuses and how.
local exact = require "spec.support.exact_json"
local mcp = require "spec.support.mcp"
local start = require("spec.support.host").start

local MOST_BYTES = { list_jobs = 16384 }

local function cases()
  local file = assert(io.open "spec/mcp/free_tools.json")
  local text = file:read "a"
  file:close()
  return exact.decode(text)
end

-- "models.1.price" of a decoded answer.
local function find(value, path)
  for part in path:gmatch "[^.]+" do
    if type(value) ~= "table" then return nil end
    value = value[tonumber(part) or part]
  end
  return value
end

-- JOB stands for a job of the host, "x*300" for so many letters.
local function fill(arguments, job_id)
  local filled = {}
  for name, value in pairs(arguments) do
    local times = type(value) == "string" and value:match "^x%*(%d+)$"
    filled[name] = times and ("x"):rep(tonumber(times)) or value == "JOB" and job_id or value
  end
  return filled
end

describe("a free tool of MCP", function()
  local host, agents, job_id

  setup(function()
    host = start {}
    agents = { modern = mcp.modern(host), legacy = mcp.legacy(host) }
    job_id = host:post("/api/providers/image/fal/submit", { prompt = "a lighthouse" }).json.job_id
  end)
  teardown(function() host:remove() end)

  local function check(case, found)
    local text = assert(found.text, found.answer.body)
    local data = exact.decode(text)
    assert.is_true(#text <= (MOST_BYTES[case.tool] or 8192), #text)
    assert.equal(case.refused ~= nil, found.refused or false, text)
    if case.refused then assert.equal(case.refused, data.error, text) end
    if case.message then assert.is_truthy(data.message:find(case.message, 1, true), text) end
    for path, value in pairs(case.has or {}) do
      assert.equal(value == "JOB" and job_id or value, find(data, path), path .. " in " .. text)
    end
    for path, count in pairs(case.counts or {}) do assert.equal(count, #find(data, path), path .. " in " .. text) end
    for _, path in ipairs(case.texts or {}) do assert.is_string(find(data, path), path) end
    for _, part in ipairs(case.contains or {}) do assert.is_truthy(text:find(part, 1, true), part .. " in " .. text) end
    for _, part in ipairs(case.absent or {}) do assert.is_nil(text:find(part, 1, true), part .. " in " .. text) end
  end

  for _, case in ipairs(cases()) do
    local told = exact.encode(case.arguments)
    it(("%s%s tells %s"):format(case.tool, told:sub(1, 80), case.says), function()
      for _, agent in pairs(agents) do check(case, agent:call(case.tool, fill(case.arguments, job_id))) end
    end)
  end

  it("leads through all models by its cursors, each once", function()
    local seen, count, cursor = {}, 0, nil
    repeat
      local found = agents.modern:call("search_models", { limit = 25, cursor = cursor })
      for _, row in ipairs(found.data.models) do
        local name = row.provider .. " " .. tostring(row.model) .. " " .. row.kind
        assert.is_nil(seen[name], name)
        seen[name], count = true, count + 1
      end
      cursor = type(found.data.next) == "string" and found.data.next or nil
    until not cursor
    local expected = 4 -- of GPU jobs
    for kind, ids in pairs { image = { "fal", "stability", "luma", "runway", "replicate", "runpod" }, video = { "pika" } } do
      for _, id in ipairs(ids) do
        expected = expected + host:get(("/api/providers/%s/%s/models"):format(kind, id)).json.total
      end
    end
    assert.equal(expected, count)
  end)

  it("describes every model in room, none with what a form needs", function()
    local cursor
    repeat
      local page = agents.modern:call("search_models", { limit = 25, cursor = cursor })
      for _, row in ipairs(page.data.models) do
        local model = type(row.model) == "string" and row.model or nil
        local found = agents.modern:call("describe_model", { provider = row.provider, model = model })
        assert.is_nil(found.refused, found.text)
        assert.is_true(#found.text <= 8192)
        for _, word in ipairs { '"x_order"', '"x_costs"', '"$schema"' } do assert.is_nil(found.text:find(word, 1, true)) end
        assert.equal("object", found.data.inputs.type)
      end
      cursor = type(page.data.next) == "string" and page.data.next or nil
    until not cursor
  end)
end)
