-- What others write is text wherever it is shown: prompts, names and notes of a provider's script, a vendor's answers and errors,
-- file names, addresses of webhooks. And an output that is a page of its own does nothing in Studio's origin.
local base64 = require("mime").b64
local start = require("spec.support.host").start
local routes = require "spec.support.studio_routes"
local studio = require "spec.support.studio"
local support = require "spec.support.live"

local EVIL = [["'><img src=x onerror="window.pwned=1"><script>window.pwned=1</script><svg onload=window.pwned=1></textarea>]]
local HTML = [[<!doctype html><title>evil</title><script>window.pwned=1;fetch("/api/live/stop",{method:"POST"})</script>]]
local SVG = [[<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40" onload="window.pwned=1"><script>window.pwned=1;
  fetch("/api/live/stop", { method: "POST" })</script><rect width="40" height="40" fill="red"/></svg>]]

local SCRIPT = [==[
local EVIL = [=[%s]=]
return {
  id = "evil", kind = "image", name = EVIL, docs_url = "https://evil.example/" .. "%%22onclick=x", aliases = {}, tags = { EVIL },
  reviews = { notes = EVIL, sources = { "javascript:window.pwned=1", "https://evil.example/" } },
  modes = { { id = "evil", label = EVIL, default = true } },
  capabilities = { models = { EVIL }, text = EVIL },
  pricing = { as_of = "2026-11-20", source = "javascript:window.pwned=1", note = EVIL },
  credentials = { api_key = { secret = { "api_key" } } },
  base_url = "https://evil.example/v1", auth = { Authorization = "Key {api_key}" },
  inputs = { { mode = "evil", model = EVIL, label = EVIL, makes = "image", price = EVIL, schema = { required = { "prompt" },
    properties = { prompt = { type = "string", title = EVIL, description = EVIL, x_lines = 4 },
      style = { type = "string", title = EVIL, description = EVIL, enum = { EVIL, "b", "c", "d", "e" }, default = EVIL } } } } },
  estimate = function()
    return { expected = 0.01, low = 0.01, high = 0.02, unit = EVIL, quantity = 1, source = EVIL, note = EVIL }
  end,
  health = function(ctx)
    local _, failure = ctx.request { method = "GET", path = "/" }
    return { ok = false, reason = EVIL, notes = { EVIL, failure and failure.message } }
  end,
  prepare = function(request) return request, { model = EVIL } end,
  submit = function(payload, ctx)
    local _, failure = ctx.request { method = "POST", path = "/jobs", json = { prompt = payload.prompt } }
    if failure or payload.fails then
      return { status = "error", reason = EVIL, error = { code = "vendor", message = EVIL, vendor_code = EVIL } }
    end
    return { id = "id-" .. EVIL, status = "done", reason = EVIL, artifacts = payload.outputs,
      cost = { usd = 0.01, source = "vendor" } }
  end,
  poll = function(job) return { id = job.vendor_id, status = "unknown", reason = EVIL } end,
}
]==]

local function data_uri(content_type, bytes)
  return ("data:%s;base64,%s"):format(content_type, (base64(bytes)))
end

local OUTPUTS = {
  { data_uri = data_uri("text/html", HTML), content_type = "text/html", filename = EVIL .. ".html" },
  { data_uri = data_uri("image/svg+xml", SVG), content_type = "image/svg+xml", filename = EVIL .. ".svg" },
  { text = EVIL }, { json = { [EVIL] = EVIL } },
  { url = "https://evil.example/<script>.png" },
}

-- Nothing of it has run, and nothing of it has become an element.
local HARMLESS = [[
const all = css => [...document.querySelectorAll(css)];
const made = all("img[src='x'], svg[onload], script:not([src]), [onerror], [onclick], iframe, object, embed");
const links = all("a[href], area[href]").filter(node => /^(javascript|data|vbscript):/i.test(node.href));
return [window.pwned ? "it ran" : "", ...[...made, ...links].map(node => node.outerHTML.slice(0, 200))].filter(Boolean)]]

local TEXTS = [=[[document.querySelector("main").innerText,
  ...[...document.querySelectorAll("main input, main textarea, main option")].map(node => node.value)]]=]

studio.describe("what others write", function()
  local page, vendor, jobs

  local function job(body)
    body.dry_run, body.max_cost_usd = body.dry_run or false, 1
    local answer = page.host:post("/api/providers/image/evil/submit", body)
    assert(answer.status < 300, answer.body)
    return answer.json.job_id
  end

  local function ended(id)
    page.host:eventually(function()
      local status = page.host:get("/api/jobs/status/" .. id).json.status
      return status ~= "queued" and status ~= "running"
    end)
    return id
  end

  setup(function()
    vendor = start { program = "/usr/bin/lua5.4", arguments = { "spec/support/odd_vendor.lua" }, config = "",
      env = { LUA_PATH = os.getenv("LUA_PATH") or ";;" } }
    local config = support.config(nil)
    config.hooks = { enabled = true, allow_loopback = true }
    config.live.providers.evil = { enabled = true, budget_usd = { per_day = 1000, per_month = 1000 },
      base_url = ("http://127.0.0.1:%d/evil.example/v1"):format(vendor.port) }
    page = studio.open { config = config, scripts = true, secrets = { evil = { api_key = "planted-evil" } }, files = {
      ["providers/evil.lua"] = SCRIPT:format(EVIL), ["providers/broken.lua"] = "return { " .. EVIL } }
    jobs = { done = ended(job { prompt = EVIL, outputs = OUTPUTS }), error = ended(job { prompt = EVIL, fails = true }),
      dry = job { prompt = EVIL, dry_run = true }, queued = nil }
    page.host:post("/api/modder/hooks/webhooks", { url = "http://127.0.0.1:9/<img src=x onerror=alert(1)>" })
  end)
  teardown(function()
    page:remove()
    vendor:kill()
    vendor:remove()
  end)

  local function all_routes()
    local list = routes()
    for name, id in pairs(jobs) do list[#list + 1] = { hash = "#/jobs/" .. id, name = name } end
    for n = 0, #OUTPUTS - 1 do list[#list + 1] = { hash = ("#/gallery/%s/%d"):format(jobs.done, n) } end
    local own = { "#/make/image/evil", "#/make/image/evil?from=" .. jobs.done, "#/providers/evil", "#/jobs?q=%3Cimg" }
    for _, hash in ipairs(own) do list[#list + 1] = { hash = hash } end
    return list
  end

  it("is text on every page", function()
    for _, route in ipairs(all_routes()) do
      page:go(route.hash)
      page:settled(route.hash)
      page:await "await new Promise(done => setTimeout(done, 50))"
      assert.same({}, page:execute(HARMLESS), route.hash)
    end
    page:assert_clean { "status of 4" }
  end)

  it("is shown as it is", function()
    local pages = { "#/jobs?dry=1", "#/jobs/" .. jobs.done, "#/jobs/" .. jobs.error, "#/providers", "#/make/image/evil" }
    for _, hash in ipairs(pages) do
      page:go(hash)
      page:wait("(" .. TEXTS .. ").some(text => text.includes('<script>window.pwned=1'))", "the text on " .. hash)
    end
  end)

  it("is text in the address too", function()
    for _, hash in ipairs {
      "#/<img src=x onerror=window.pwned=1>", "#/jobs/%3Cimg%20src=x%20onerror=window.pwned=1%3E",
      "#/make/%3Cscript%3E/%3Cscript%3E", "#/gallery/%22%3E%3Cimg%20src=x%3E/0", "#/hooks/%3Cimg%20src=x%3E",
      "#/providers/__proto__", "#/providers/%3Cimg%20src=x%3E",
      "#/jobs?status=%3Cimg%20src=x%3E&provider=constructor", "#/host?tab=__proto__", "#/make/__proto__/toString" } do
      page:go(hash)
      assert.same({}, page:execute(HARMLESS), hash)
    end
    page:assert_clean { "status of 4" }
  end)

  it("does nothing in the page's origin when an output is a page of its own", function()
    for n = 0, 1 do
      local url = ("%sapi/jobs/%s/artifacts/%d"):format(page.base, jobs.done, n)
      page:open "about:blank"
      page:open(url)
      assert.is_nil(page:execute "return window.pwned")
      assert.not_equal(page.base:sub(1, -2), page:execute "return self.origin")
    end
    assert.is_false(page.host:get("/api/live").json.stopped)
  end)
end)
