-- Proves that a bad body is answered with a 4xx in the error shape that names the field's path, that nothing is registered, that
-- nothing comes back which was not understood, and that the next request is fine.
local bodies = require "spec.support.hostile_bodies"
local exact = require "spec.support.exact_json"
local fields = require "spec.support.hostile_fields"
local hosts = require "spec.support.host"
local providers = require "spec.support.providers"

local MARK = "evilmark"
local LONG = ('"%s"'):format(("x"):rep(1048576))

local host, registered

local function count_tasks()
  return #host:get("/api/jobs/list?limit=500").json.tasks
end

-- RFC 9457.
local function check_problem(answer, status, path)
  assert.equal(status, answer.status, answer.body:sub(1, 400))
  assert.equal("application/problem+json", answer.headers["content-type"])
  assert.equal(status, answer.json.status)
  for _, name in ipairs { "type", "title", "detail" } do assert.is_string(answer.json[name]) end
  assert.is_truthy(utf8.len(answer.body), "the answer is not UTF-8")
  assert.is_nil(answer.body:find(MARK, 1, true), "something came back that was not understood: " .. answer.body:sub(1, 300))
  if path then
    assert.equal(path, answer.json.errors[1].path, answer.json.detail)
    assert.is_string(answer.json.errors[1].message)
  end
end

-- A copy of the request in which the field at the path holds the mark that the caller replaces.
local function with_field(request, path)
  local copy = exact.decode(exact.encode(request))
  local at, names = copy, {}
  for name in path:gmatch("[^.]+") do names[#names + 1] = name end
  for i = 1, #names - 1 do
    at[names[i]] = at[names[i]] or {}
    at = at[names[i]]
  end
  at[names[#names]] = "@@"
  return copy
end

setup(function() host = hosts.start { config = { server = { max_body_bytes = 2097152 } } } end)
teardown(function() host:remove() end)
before_each(function() registered = count_tasks() end)

describe("a bad body:", function()
  for _, case in ipairs(bodies) do
    it(case.name, function()
      local answer = host:post(case.to or "/api/providers/image/stability/submit", case.body)
      if case.status == 200 then
        assert.equal(200, answer.status, answer.body:sub(1, 400))
      else
        check_problem(answer, case.status or 400, case.path == nil and "" or case.path)
        if case.says then assert.matches(case.says, answer.json.detail) end
      end
      assert.equal(registered + (case.registers or 0), count_tasks())
    end)
  end
end)

for _, provider in ipairs(providers) do
  describe("a wrong type for " .. provider.id, function()
    for what, names in pairs(fields[provider.id]) do
      for _, name in ipairs(names) do
        it(("in %s, which is %s, is named"):format(name, what), function()
          local text = exact.encode(providers.body(provider, with_field(provider.request, name)))
          for _, wrong in ipairs(fields.WRONG[what]) do
            local answer = host:post(providers.path(provider, "submit"), (text:gsub('"@@"', function() return wrong end)))
            check_problem(answer, 400, (provider.kind == "gpu" and "job." or "") .. name)
          end
          assert.equal(registered, count_tasks())
        end)

        it(("in %s, a megabyte of text is no fault of the script"):format(name), function()
          local text = exact.encode(providers.body(provider, with_field(provider.request, name)))
          local long = what == "object" and ('{"a":%s}'):format(LONG) or what == "array" and ("[%s]"):format(LONG) or LONG
          local answer = host:post(providers.path(provider, "submit"), (text:gsub('"@@"', function() return long end)))
          assert.is_true(answer.status == 200 or answer.status == 400, answer.body:sub(1, 300))
        end)
      end
    end
  end)
end

describe("the host after all of it", function()
  it("stops well", function() host:ends_well() end)
end)
