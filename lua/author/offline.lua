-- offline.lua - plays the host for one provider script, in plain Lua 5.4: no process, no network, no C.
--
-- Specs and authors use it to see what a script would send, and what it makes of given responses. It follows
-- docs/provider-scripts.md, and bounds the texts of pattern functions as the host does; where the host is stricter in other
-- ways (memory, time, secrets, host names) it does not pretend to be. Needs lua-cjson. Never loaded inside the host.

local lua_cjson = require "cjson"

local offline = {}

-- lua-cjson cannot mark arrays; the host's bridge can. This stands in for it.
local marked_arrays = setmetatable({}, { __mode = "k" })

offline.cjson = {
  null = lua_cjson.null,
  encode = lua_cjson.encode,
  decode = lua_cjson.decode,
  array = function(list)
    list = list or {}
    marked_arrays[list] = true
    return list
  end,
  is_array = function(value)
    return type(value) == "table" and (marked_arrays[value] or #value > 0) or false
  end,
}

local ALLOWED = {
  "assert", "error", "ipairs", "next", "pairs", "pcall", "select", "tonumber", "tostring", "type", "setmetatable",
  "string", "table", "math", "utf8",
}

local MAX_SUBJECT_BYTES, MAX_PATTERN_BYTES = 65536, 1024 -- as in src/base/limits.h

-- The string library with what the host refuses: long subjects and patterns, and string.dump.
local function make_string_library()
  local library = {}
  for name, value in pairs(string) do library[name] = value end
  library.dump = nil
  for _, name in ipairs { "find", "match", "gmatch", "gsub" } do
    library[name] = function(subject, pattern, third, plain)
      if not (name == "find" and plain) then
        assert(#tostring(subject) <= MAX_SUBJECT_BYTES, "pattern functions take subjects of at most 65536 bytes")
        assert(#tostring(pattern) <= MAX_PATTERN_BYTES, "a pattern has at most 1024 bytes")
      end
      return string[name](subject, pattern, third, plain)
    end
  end
  return library
end

-- The folder lua/ that this file is in; providers/ is beside it.
local function lua_folder()
  return debug.getinfo(1, "S").source:match("^@(.*)/author/[^/]*$") or "lua"
end

local function is_there(path)
  local file = io.open(path)
  return file ~= nil and file:close()
end

-- The file of a helper, by the host's rules (src/script/library.h).
local function module_file(name)
  local folder, base = name:match("^([%w_%-]+)%.([%w_%-]+)$")
  assert(folder or name:match("^[%w_%-]+$"), "require: NAME or FOLDER.NAME of a helper is expected, got " .. tostring(name))
  local lua = lua_folder()
  if not folder then return lua .. "/" .. name .. ".lua" end
  local of_all = ("%s/%s/%s.lua"):format(lua, folder, base)
  local of_provider = ("%s/../providers/%s/%s.lua"):format(lua, folder, base)
  if not is_there(of_provider) then return of_all end
  assert(not is_there(of_all), ("require: '%s' is %s and %s: rename one of them"):format(name, of_all, of_provider))
  return of_provider
end

-- The environment of scripts: the allow-list, and a require that reaches helpers only.
local function make_environment()
  local environment, loaded = {}, { cjson = offline.cjson }
  for _, name in ipairs(ALLOWED) do environment[name] = _G[name] end
  environment.string = make_string_library()
  environment.require = function(name)
    if not loaded[name] then
      local chunk = assert(loadfile(module_file(name), "t", environment))
      loaded[name] = chunk(name) or true
    end
    return loaded[name]
  end
  return setmetatable(environment, {
    __index = function(_, name) error("undeclared global '" .. tostring(name) .. "'", 2) end,
    __newindex = function(_, name) error("assignment to global '" .. tostring(name) .. "'", 2) end,
  })
end

--- A helper, as a script gets it.
function offline.require(name)
  return make_environment().require(name)
end

--- Loads a provider script and returns its table.
function offline.load(path)
  local chunk = assert(loadfile(path, "t", make_environment()))
  return assert(chunk(), path .. ": must return a table")
end

local function percent_encode(value)
  return (tostring(value):gsub("[^%w%-%._~]", function(byte) return string.format("%%%02X", byte:byte()) end))
end

local function number_text(value)
  return math.type(value) == "float" and math.tointeger(value) and tostring(math.tointeger(value)) or tostring(value)
end

local function build_url(provider, request)
  local url = request.url or (provider.base_url .. request.path)
  if not request.query then return url end
  local names = {}
  for name in pairs(request.query) do names[#names + 1] = name end
  table.sort(names)
  local parts = {}
  for _, name in ipairs(names) do
    parts[#parts + 1] = percent_encode(name) .. "=" .. percent_encode(number_text(request.query[name]))
  end
  if #parts == 0 then return url end
  return url .. (url:find("?", 1, true) and "&" or "?") .. table.concat(parts, "&")
end

-- Whether a URL is on a host to which the script's credentials may go.
local function is_own_host(provider, url)
  local host = url:match("^https?://([^/?#]+)")
  if not host or host == (provider.base_url or ""):match("^https?://([^/?#]+)") then return true end
  for _, list in ipairs { provider.hosts or {}, provider.shared_hosts or {} } do
    for _, pattern in ipairs(list) do
      if host == pattern or pattern:sub(1, 2) == "*." and host:sub(-#pattern + 1) == pattern:sub(2) then return true end
    end
  end
  return false
end

local function build_headers(provider, request)
  local headers = {}
  local function add(from)
    for name, value in pairs(from or {}) do headers[name:lower()] = value end
  end
  if type(request.auth) == "string" then
    add(assert((provider.auth_forms or {})[request.auth], "ctx.request: auth: no such form in auth_forms"))
  elseif request.auth ~= false and is_own_host(provider, request.url or "") then
    add(provider.auth)
  end
  if request.json ~= nil then headers["content-type"] = "application/json" end
  if request.form then headers["content-type"] = "multipart/form-data" end
  add(request.headers)
  return headers
end

-- The fields of an urlencoded body, so that specs compare plain forms like multipart ones.
local function parse_urlencoded(headers, body)
  if not body or headers["content-type"] ~= "application/x-www-form-urlencoded" then return nil end
  local function decode(text)
    return (text:gsub("%+", " "):gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
  end
  local form = {}
  for name, value in body:gmatch("([^&=]+)=([^&]*)") do form[#form + 1] = { name = decode(name), value = decode(value) } end
  return form
end

-- The request as the host would preview it.
local function build_upstream(provider, request)
  assert(request.path or request.url, "ctx.request: path or url is needed")
  local has_body = request.json ~= nil or request.form ~= nil or request.body ~= nil
  local headers = build_headers(provider, request)
  return {
    method = request.method or (has_body and "POST" or "GET"),
    url = build_url(provider, request),
    headers = headers,
    json = request.json, form = request.form or parse_urlencoded(headers, request.body), body = request.body,
  }
end

local PREVIEW_TAKEN = {}

local function deep_copy(value)
  if type(value) ~= "table" then return value end
  local copy = marked_arrays[value] and offline.cjson.array {} or {}
  for key, item in pairs(value) do copy[key] = deep_copy(item) end
  return copy
end

-- What every function knows beside its arguments, out of the options { kind =, models = { [id] = model }, prices = { [id] =
-- price }, observed = { [model] = figures } or a function(model, drivers), ignore_directory = }.
local function add_knowledge(ctx, provider, options)
  ctx.kind, ctx.ignore_directory = options.kind or provider.kind, options.ignore_directory == true
  function ctx.model(id) return deep_copy((options.models or {})[id]) end
  function ctx.price(id) return deep_copy((options.prices or {})[id]) end
  function ctx.observed(model, drivers)
    local observed = options.observed or {}
    if type(observed) == "function" then return observed(model, drivers) end
    return deep_copy(observed[model])
  end
  return ctx
end

-- A ctx that answers with the given responses in order; with none left, the request is the preview and the call ends.
local function make_ctx(provider, answer, responses, options)
  local used = 0
  local ctx = add_knowledge({ dry_run = responses == nil, webhook_url = options.webhook_url }, provider, options)
  function ctx.warn(warning)
    assert(type(warning) == "table" and warning.message, "ctx.warn { field =, message = }")
    answer.warnings[#answer.warnings + 1] = warning
  end
  function ctx.note(text) answer.notes[#answer.notes + 1] = assert(type(text) == "string" and text, "ctx.note takes text") end
  function ctx.needs(need)
    assert(type(need) == "table" and need.message, "ctx.needs { field =, message = }")
    answer.needs[#answer.needs + 1] = need
  end
  function ctx.needs_host(url) assert(type(url) == "string", "ctx.needs_host takes a URL") end
  function ctx.request(request)
    local upstream = build_upstream(provider, request)
    answer.requests[#answer.requests + 1] = upstream
    if responses == nil and request.mock then return request.mock end
    used = used + 1
    local response = responses and responses[used]
    if response == nil then
      answer.upstream = upstream
      error(PREVIEW_TAKEN, 0)
    end
    if response.failure then return nil, response.failure end
    return {
      status = response.status, headers = response.headers or {}, json = response.json,
      body = response.body or (response.json ~= nil and lua_cjson.encode(response.json)) or "",
    }
  end
  return ctx
end

-- Calls a function of the script and files its outcome in the answer. All but health have a subject (a payload, a job).
local function call(provider, name, answer, responses, options, subject, plan)
  local ctx = make_ctx(provider, answer, responses, options)
  local ok, result, refusal
  if subject == nil then
    ok, result, refusal = pcall(provider[name], ctx)
  else
    ok, result, refusal = pcall(provider[name], subject, ctx, plan)
  end
  if not ok then
    if result ~= PREVIEW_TAKEN then error(result, 0) end
    return answer
  end
  answer.result, answer.refusal = result, refusal
  return answer
end

local function new_answer()
  return { warnings = {}, notes = {}, needs = {}, requests = {} }
end

--- Runs prepare alone: the payload, the further fields and the plan, or nil and { field =, message = }.
function offline.prepare(provider, request, options)
  if not provider.prepare then return request, {} end
  local ok, payload, second, plan = pcall(provider.prepare, request, add_knowledge({}, provider, options or {}))
  if ok then return payload, second, plan end
  if type(payload) == "table" and payload.field then return nil, payload end
  error(payload, 0)
end

--- prepare, estimate and submit. Without `responses` it is a dry run: `answer.upstream` is the preview. With a list of
--- responses (`{ status =, headers =, json =, body = }` or `{ failure = { kind =, message = } }`) they are the vendor's
--- answers in order, and `answer.result` is what submit returned. A 400 of prepare is in `answer.invalid`.
--- Options: webhook_url, and what the functions know (add_knowledge).
function offline.submit(provider, request, responses, options)
  local answer = new_answer()
  options = options or {}
  local payload, fields, plan = offline.prepare(provider, request, options)
  if not payload then
    answer.invalid = fields
    return answer
  end
  answer.payload, answer.fields = payload, fields
  if provider.estimate then
    answer.estimate, answer.estimate_missing = provider.estimate(payload, plan, add_knowledge({}, provider, options))
  end
  return call(provider, "submit", answer, responses, options, payload, plan)
end

--- The functions of the directory: models(query, ctx), describe(id, ctx, known), prices(ids, ctx). `answer.result` is what the
-- function
--- returned, `answer.refusal` its reason; without responses `answer.upstream` is the first request.
function offline.models(provider, query, responses, options)
  return call(provider, "models", new_answer(), responses, options or {}, query)
end

function offline.describe(provider, id, responses, options, known)
  return call(provider, "describe", new_answer(), responses, options or {}, id, known)
end

function offline.prices(provider, ids, responses, options)
  return call(provider, "prices", new_answer(), responses, options or {}, ids)
end

--- poll, cancel: `job` is { id =, state =, payload = }.
function offline.poll(provider, job, responses, options)
  return call(provider, "poll", new_answer(), responses, options or {}, job)
end

function offline.cancel(provider, job, responses, options)
  return call(provider, "cancel", new_answer(), responses, options or {}, job)
end

--- reconcile: `job` is { state =, payload =, webhook_url =, submitted_at =, claimed = }.
function offline.reconcile(provider, job, responses, options)
  return call(provider, "reconcile", new_answer(), responses, options or {}, job)
end

function offline.health(provider, responses, options)
  return call(provider, "health", new_answer(), responses, options or {})
end

function offline.webhook(provider, delivery, responses, options)
  return call(provider, "webhook", new_answer(), responses, options or {}, delivery)
end

return offline
