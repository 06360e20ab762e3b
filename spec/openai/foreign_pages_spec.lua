-- A form needs no preflight: any page of the world can have a browser post one to this machine. None of the doors' routes takes
-- it, whatever the body is, and whatever it says.
local form = require "spec.support.form"
local hosts = require "spec.support.host"
local routes = require "spec.support.routes"

-- What a browser says of a page of another site.
local PAGES = {
  { Origin = "https://evil.example" }, { Origin = "null" }, { ["Sec-Fetch-Site"] = "cross-site" },
  { Origin = "http://127.0.0.1:1", ["Sec-Fetch-Site"] = "same-site" },
  { Origin = "https://evil.example", ["Sec-Fetch-Site"] = "cross-site", ["Sec-Fetch-Mode"] = "no-cors" },
}

local PARTS = {
  { name = "model", value = "runway/gen4.5" }, { name = "prompt", value = "x" }, { name = "dry_run", value = "false" },
  { name = "max_cost_usd", value = "5" },
}

-- The types that need no preflight, each with a body that would do.
local function bodies()
  local text, content_type = form.write(PARTS)
  return { { text, content_type }, { '{"model":"fal/flux","prompt":"x","dry_run":false}', "text/plain" },
    { "model=fal/flux&prompt=x&dry_run=false", "application/x-www-form-urlencoded" },
    { '{"model":"fal/flux","prompt":"x","dry_run":false}', "application/json" } }
end

local function doors()
  local found = {}
  for _, route in ipairs(routes()) do
    local path = route.pattern
    if (path:find("^/v1/") or path == "/mcp") and route.method ~= "GET" then
      found[#found + 1] = { method = route.method, path = path:gsub("%*+", "x") }
      if path:find("^/v1/") then found[#found + 1] = { method = route.method, path = "/live" .. path:gsub("%*+", "x") } end
    end
  end
  return found
end

describe("a page of another site", function()
  local host

  setup(function() host = hosts.start { config = { server = { threads = 16 } } } end)
  teardown(function() host:remove() end)

  for _, door in ipairs(doors()) do
    it("cannot have anything done by " .. door.method .. " " .. door.path, function()
      for _, page in ipairs(PAGES) do
        for _, body in ipairs(bodies()) do
          local headers = { ["Content-Type"] = body[2] }
          for name, value in pairs(page) do headers[name] = value end
          local answer = host:request(door.method, door.path, body[1], headers)
          assert.equal(403, answer.status, answer.body)
          assert.is_nil(answer.headers["access-control-allow-origin"])
        end
      end
      assert.same({}, host:get("/api/jobs/list").json.tasks)
    end)
  end
end)
