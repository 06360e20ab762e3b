-- The script of the vendor of directory_vendor.lua, and a host with both.
--
--   local shelf = require("spec.support.directory_script").start { on = true, directory = "place = 'parameters.'," }
--   options.live: jobs may be sent to it, too
--   options.method, free, auth, list_host: of the request for the list; loops: before it, without end
--   shelf.host, shelf.vendor; shelf:set { fail = { models = "500" } }; shelf:seen("models"); shelf:known(id)
local cjson = require "cjson"
local http = require "spec.support.http"
local start = require("spec.support.host").start

local SCRIPT = [=[
local function ask(ctx, request)
  local answer, failure = ctx.request(request)
  if not answer then return nil, "the vendor did not answer: " .. failure.message end
  if answer.status == 404 then return false end
  if answer.status ~= 200 then return nil, "the vendor answered " .. answer.status end
  if type(answer.json) ~= "table" then return nil, "the vendor's answer is no JSON" end
  return answer.json
end

local function models(query, ctx)
  local terms = { cursor = query.cursor, q = query.text }
  while LOOPS do terms.cursor = terms.cursor end
  local page, why = ask(ctx, {
    method = "METHOD", free = FREE, url = "https://LIST/models", auth = AUTH, query = terms,
  })
  if not page then return nil, why end
  return { models = page.models, next = page.next }
end

local function describe(id, ctx)
  local model, why = ask(ctx, { url = "https://api.shelf.example/model", query = { id = id } })
  if model == false then return { missing = true } end
  if not model then return nil, why end
  return model
end

local function prices(ids, ctx)
  local found, why = ask(ctx, { url = "https://api.shelf.example/prices", query = { ids = table.concat(ids, ",") } })
  if not found then return nil, why end
  local result = {}
  for _, id in ipairs(ids) do result[id] = found[id] or false end
  return result
end

return {
  id = "shelf", kind = "image", base_url = "https://api.shelf.example", capabilities = {}, pricing = {},
  credentials = { api_key = { secret = { "api_key" } } }, auth = { Authorization = "Key {api_key}" },
  directory = { hosts = { "list.shelf.example" }, pace_seconds = 0, DIRECTORY },
  models = models, describe = describe, prices = prices,
  prepare = function(request, ctx)
    local model = ctx.model(request.model)
    local price = ctx.price(request.model)
    return { mode = "x", model = request.model, known = model and model.inputs and true or false }, {
      known = model or false, known_price = price or false, ignored = ctx.ignore_directory or false,
    }, {}
  end,
  health = function(ctx) return ctx.request { path = "/" } end,
  submit = function(payload, ctx)
    local body = { model = payload.model, known = payload.known, ignored = ctx.ignore_directory or nil }
    local answer, failure = ctx.request { path = "/submit", json = body }
    if not answer then return { status = "error", error = { code = "vendor", message = failure.message } } end
    if answer.status == 422 then
      return { status = "error", billed = false, error = { code = "invalid", message = "the vendor refused it" } }
    end
    return { id = answer.json.id, state = { n = 1 } }
  end,
  poll = function(job, ctx)
    local answer = ctx.request { path = "/job" }
    if answer and answer.status == 422 then
      return { status = "error", error = { code = "invalid", message = "the vendor refused it" } }
    end
    return { status = "done", artifacts = {} }
  end,
}
]=]

local Shelf = {}
Shelf.__index = Shelf

local function config_of(options, port)
  local budget = { per_day = 100, per_month = 100 }
  return {
    features = { enable_public_image_providers = true },
    live = {
      upstream = "http://127.0.0.1:" .. port, enabled = options.live or false, budget_usd = budget,
      providers = { shelf = { enabled = options.live or false, budget_usd = budget } },
    },
    directory = { enabled = options.on ~= false, providers = { shelf = { enabled = options.own ~= false } } },
    log = { level = "debug" },
  }
end

local module = {}

function module.script(options)
  local text = SCRIPT:gsub("LIST", options.list_host or "list.shelf.example", 1)
  text = text:gsub("AUTH", options.auth or "false", 1):gsub("METHOD", options.method or "GET", 1)
  text = text:gsub("FREE", tostring(options.free), 1):gsub("LOOPS", tostring(options.loops or false), 1)
  return (text:gsub("DIRECTORY", function() return options.directory or "" end))
end

function module.start(options)
  local self = setmetatable({ options = options }, Shelf)
  self.vendor = start { program = "/usr/bin/lua5.4", config = "", env = { LUA_PATH = os.getenv("LUA_PATH") },
    arguments = { "spec/support/directory_vendor.lua" } }
  if options.set then self:set(options.set) end
  self.config = config_of(options, self.vendor.port)
  self.host = start { config = self.config, env = options.env, secrets = options.secrets,
    files = { ["providers/shelf.lua"] = module.script(options) } }
  return self
end

function Shelf:set(settings)
  assert(http.request(self.vendor.port, "POST", "/set", cjson.encode(settings)).status == 200)
end

--- The requests that the vendor saw, all or those of one path.
function Shelf:seen(path)
  local list = {}
  for _, request in ipairs(http.request(self.vendor.port, "GET", "/seen").json) do
    if not path or request.path == path then list[#list + 1] = request end
  end
  return list
end

--- What ctx.model and ctx.price say of it in a dry run: the model or false, the price or false, the whole answer.
function Shelf:known(id, more)
  local body = { model = id, prompt = "a cat" }
  for name, value in pairs(more or {}) do body[name] = value end
  local answer = self.host:post("/api/providers/image/shelf/submit", body)
  assert(answer.status == 200, answer.body)
  return answer.json.known, answer.json.known_price, answer.json
end

--- Until the directory knows so much of it: "listed" or "described".
function Shelf:wait_for(id, what)
  self.host:eventually(function() -- else a dry run has it described before the list was read
    local page = self.host:get("/api/providers/image/shelf/models?limit=1")
    return what ~= "listed" or type(page.json.directory.as_of) == "string"
  end)
  return self.host:eventually(function()
    local model = self:known(id)
    return model and (what ~= "described" or model.inputs) and model
  end)
end

function Shelf:reconfigure(change)
  change(self.config)
  self.host:write("config/comfyvn.json", require("spec.support.exact_json").encode(self.config))
end

function Shelf:remove()
  self.host:remove()
  self.vendor:kill()
  self.vendor:remove()
end

return module
