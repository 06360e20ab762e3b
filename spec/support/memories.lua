-- Ways in which a script might keep one caller's text for the next. Add a case, not code.
--
--   name     the provider's id
--   top      defines remember(text) and recall(), which gives what was remembered, or what was there at load
--   refused  the host does not let it write: remember() is called protected, and recall() never has the text
--   loads    false: the file is refused, and why
local memories = {
  { name = "upvalue", top = "local kept\nlocal function remember(text) kept = text end\n"
      .. "local function recall() return kept end" },
  {
    name = "upvalue_of_nested",
    top = "local kept\nlocal function remember(text) (function() (function() kept = text end)() end)() end\n"
      .. "local function recall() return kept end",
  },
  {
    name = "closure",
    top = "local function cell() local kept return function(text) kept = text end, function() return kept end end\n"
      .. "local remember, recall = cell()",
  },
  {
    name = "counter",
    top = "local count = 0\nlocal function remember(text) for i = 1, #text do count = count + i end end\n"
      .. "local function recall() return count > 0 and ('alice-words'):rep(1) or nil end",
  },
  { name = "field", top = "local T = { a = 1 }\nlocal function remember(text) T.kept = text end\n"
      .. "local function recall() return T.kept end" },
  {
    name = "field_that_was_there",
    top = "local T = { kept = 'empty' }\nlocal function remember(text) T.kept = text end\n"
      .. "local function recall() return T.kept end",
  },
  {
    name = "nested",
    top = "local T = { { { deep = {} } } }\nlocal function remember(text) T[1][1].deep[1] = text end\n"
      .. "local function recall() return T[1][1].deep[1] end",
  },
  {
    name = "cycle",
    top = "local T = {} T.self = T T[T] = { T }\nlocal function remember(text) T.self.self[T][1].kept = text end\n"
      .. "local function recall() return T.kept end",
  },
  {
    name = "list",
    top = "local T = { 'a', 'b' }\n"
      .. "local function remember(text) table.insert(T, 1, text) table.sort(T) table.remove(T, 3) end\n"
      .. "local function recall() return table.concat(T, ' '):match('alice%S*') end",
  },
  {
    name = "hidden_by_pairs",
    top = "local T = { a = 1 }\nlocal function remember(text) local f, t = pairs(T) t.kept = text t.a = nil end\n"
      .. "local function recall() for k, v in pairs(T) do if k == 'kept' then return v end end return next(T) ~= 'a' "
      .. "and T.a and 'no' or nil end",
  },
  {
    name = "method",
    top = "local C = {} function C.get() return nil end\nlocal object = setmetatable({}, { __index = C })\n"
      .. "local function remember(text) C.get = function() return text end end\n"
      .. "local function recall() return object.get() end",
  },
  {
    name = "class",
    top = "local C = { __index = {} }\nlocal function remember(text) C.__index = { kept = text } setmetatable({}, C) end\n"
      .. "local function recall() return setmetatable({}, C).kept end",
  },
  {
    name = "object",
    top = "local C = { __index = { kept = nil } }\nlocal object = setmetatable({ list = {} }, C)\n"
      .. "local function remember(text) object.list.kept = text end\nlocal function recall() return object.list.kept end",
  },
  {
    name = "environment",
    top = "local tostring, error, ipairs, next = tostring, error, ipairs, next\nlocal read = function() return kept end\n"
      .. "local function remember(text) _ENV = { kept = text } end\n"
      .. "local function recall() return next(_ENV) == 'kept' and read() or nil end",
  },
  {
    name = "own_environment",
    top = "local require, pcall = require, pcall\nlocal _ENV = { }\nlocal function remember(text) kept = text end\n"
      .. "local function recall() return kept end",
  },
  {
    name = "array_mark",
    top = "local cjson, T = require 'cjson', {}\nlocal function remember(text) cjson.array(T) end\n"
      .. "local function recall() return cjson.encode(T) == '[]' and 'alice-words' or nil end",
  },
  {
    name = "order",
    top = "local T = {} for i = 1, 9 do T['key' .. i] = i end\n"
      .. "local function order() local t = {} for k in pairs(T) do t[#t + 1] = k end\n"
      .. "return table.concat(t) end\nlocal first = order()\n"
      .. "local function remember(text) for i = 1, 99 do T[text .. i] = i end for i = 1, 99 do T[text .. i] = nil end "
      .. "T.key1 = nil T.key1 = 1 end\n"
      .. "local function recall() return order() ~= first and 'alice-words' or nil end",
    blind = true,
  },
  {
    name = "after_an_error",
    top = "local T = {}\nlocal function remember(text) pcall(function() T.kept = text error('x') end) end\n"
      .. "local function recall() return T.kept end",
  },
  {
    name = "loop_while_writing",
    top = "local T = { a = 1, b = 2, c = 3 }\n"
      .. "local function remember(text) for k in pairs(T) do T[k] = nil end T.kept = text end\n"
      .. "local function recall() local n = 0 for k, v in pairs(T) do n = n + 1 end return n == 1 and T.kept or nil end",
  },
  {
    name = "ctx",
    top = "local kept\nlocal function remember(text, ctx) ctx.note(text) ctx.kept = text kept = kept or ctx end\n"
      .. "local function recall() return kept and kept.kept end",
  },
  { name = "module_field", refused = true,
    top = "local m = require 'memo'\nlocal function remember(text) m.kept = text end\n"
      .. "local function recall() return m.kept end" },
  { name = "module_field_that_is_there", refused = true,
    top = "local m = require 'memo'\nlocal function remember(text) m.list.first = text end\n"
      .. "local function recall() return m.list.first end" },
  { name = "module_list", refused = true,
    top = "local m = require 'memo'\nlocal function remember(text) table.insert(m.list, text) end\n"
      .. "local function recall() return m.list[1] end" },
  { name = "module_memo", refused = true,
    top = "local m = require 'memo'\nlocal function remember(text) m.memo(text) end\n"
      .. "local function recall() return m.memo() end" },
  { name = "module_upvalue",
    top = "local m = require 'memo'\nlocal function remember(text) m.set(text) end\n"
      .. "local function recall() return m.get() end" },
  { name = "module_late",
    top = "local function remember(text) require('memo').set(text) end\n"
      .. "local function recall() return require('memo').get() end" },
  { name = "module_method", refused = true,
    top = "local m = require 'memo'\nlocal function remember(text) m.get = function() return text end end\n"
      .. "local function recall() return m.get() end" },
  { name = "module_class", refused = true,
    top = "local m = require 'memo'\nlocal o = m.new()\nlocal function remember(text) m.class.name = text end\n"
      .. "local function recall() return o.name or m.new().name end" },
  { name = "library_string", refused = true,
    top = "local function remember(text) string.kept = text end\n"
      .. "local function recall() return string.kept or (''):len() > 0 end" },
  { name = "library_function", refused = true,
    top = "local function remember(text) string.upper = function() return text end end\n"
      .. "local function recall() local u = ('a'):upper() return u ~= 'A' and u or nil end" },
  { name = "library_of_pairs", refused = true,
    top = "local function remember(text) local _, t = pairs(string) t.kept = text end\n"
      .. "local function recall() return string.kept end" },
  { name = "library_table", refused = true,
    top = "local function remember(text) table.insert(table, text) end\nlocal function recall() return table[1] end" },
  { name = "library_cjson", refused = true,
    top = "local c = require 'cjson'\nlocal function remember(text) c.kept = text end\n"
      .. "local function recall() return c.kept end" },
  { name = "text_method", refused = true,
    top = "local function remember(text) (''):kept(text) end\n"
      .. "local function recall() return (''):len() > 0 and 'x' or nil end" },
  { name = "text_field", refused = true,
    top = "local function remember(text) local s = '' s.kept = text end\n"
      .. "local function recall() return (''):len() > 0 and 'x' or nil end" },
  { name = "global", refused = true,
    top = "local function remember(text) kept = text end\nlocal function recall() return nil end" },
  { name = "environment_field", refused = true,
    top = "local function remember(text) _ENV.string = { kept = text } end\nlocal function recall() return string.kept end" },
  { name = "metatable_of_module", refused = true,
    top = "local m = require 'memo'\nlocal function remember(text) setmetatable(m.list, { __index = { kept = text } }) end\n"
      .. "local function recall() return m.list.kept end" },
  { name = "iterator", loads = "gmatch", top = "local words = ('a b c'):gmatch('%a')\nlocal function remember() words() end\n"
      .. "local function recall() return words() == 'b' and 'alice-words' or nil end" },
  { name = "module_at_load", loads = "read%-only", top = "require('memo').kept = 'x'\nlocal function remember() end\n"
      .. "local function recall() end" },
}

--- A module of lua/ with everything that could keep something.
memories.MODULE = [[
local module = { list = { first = nil }, class = {} }
local memo, kept = {}, nil
module.class.__index = module.class
function module.new() return setmetatable({}, module.class) end
function module.memo(text) if text then memo[1] = text end return memo[1] end
function module.set(text) kept = text end
function module.get() return kept end
return module
]]

local SCRIPT = [[
%s
local recall_now = recall
return {
  id = %q, kind = "image", base_url = "https://api.%s.example/v1", capabilities = {}, pricing = {},
  estimate = function() return { expected = 0.01 } end,
  health = function(ctx) return ctx.request { path = "/me" } end,
  submit = function(payload, ctx)
    local before = recall_now()
    if payload.word then
      local ok, why = pcall(remember, payload.word, ctx)
      if not ok and payload.must then error(why) end
    end
    local response = ctx.request { path = "/jobs", json = { before = before, found = recall_now(), who = payload.who } }
    if payload.spin then while true do end end
    return { id = response.json.id, status = "done", artifacts = { { json = { found = recall_now() } } } }
  end,
  poll = function() return { status = "done" } end,
}
]]

--- The provider script of a case.
function memories.script(case)
  return SCRIPT:format(case.top, case.name, (case.name:gsub("_", "-")))
end

return memories
