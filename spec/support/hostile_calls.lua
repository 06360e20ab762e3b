-- For every C function that a script can reach: calls that make it as slow as a script can. Each is the top level of a file,
-- or, of ctx, the body of
-- `submit`; PRELUDE stands before it. Names are those that spec/support/list_functions.c prints.
local hostile_calls = {}

hostile_calls.PRELUDE = [[
local cjson = require "cjson"
local function text(bytes, unit) return (unit or "a"):rep(bytes) end
local function list(count, item) local t = {} for i = 1, count do t[i] = item or i end return t end
-- Thirty items and a length of 2^61.
local function powers() local t, k = {}, 1 << 61 while k > 0 do t[k] = true k = k // 2 end return t end
-- A table whose items lie behind many classes.
local function behind(t) for _ = 1, 1900 do t = setmetatable({}, { __index = t }) end return t end
-- A table that once was large.
local function emptied() local t = {} for i = 1, 400000 do t["k" .. i] = 1 end for k in pairs(t) do t[k] = nil end return t end
local function shared(t, count) for _ = 1, count do t = { t, t } end return t end
]]

hostile_calls.calls = {
  ["assert"] = { "while true do pcall(assert, false, text(30000000)) end" },
  ["error"] = { "while true do pcall(error, text(30000000)) end", "error(text(30000000))" },
  ["ipairs"] = { "for _ in ipairs(behind(list(1000000))) do end" },
  ["next"] = { "local t = emptied() while true do next(t) end", "table.sort(list(100000, 'a'), next)" },
  ["pairs"] = { "local t = emptied() while true do for _ in pairs(t) do end end" },
  ["pcall"] = { "while true do pcall(string.find, text(60000), '.-.-.-b') end", "table.sort(list(1000000), pcall)" },
  ["require"] = { "while true do pcall(require, text(30000000)) end" },
  ["select"] = { "local t = list(200000) while true do select(-1, table.unpack(t)) end", "table.sort(list(1000000), select)" },
  ["setmetatable"] = { "while true do setmetatable({}, { __index = {} }) end",
    "while true do pcall(setmetatable, {}, emptied()) end" },
  ["tonumber"] = {
    "local s = text(30000000, '9') while true do tonumber(s) end",
    "local s = '0.' .. text(30000000, '0') while true do tonumber(s) end",
    "local s = text(30000000, ' ') while true do tonumber(s) end",
    "local s = text(30000000, '0') while true do tonumber(s, 2) end",
    "local s = '0x' .. text(30000000, 'f') while true do tonumber(s) end",
  },
  ["tostring"] = { "while true do tostring({}) end", "table.sort(list(1000000), tostring)" },
  ["type"] = { "table.sort(list(2000000), type)" },
  ["<meta>.__index"] = { "while true do pcall(function(name) return _ENV[name] end, text(20000000)) end" },
  ["<meta>.__newindex"] = { "while true do pcall(function(name) _ENV[name] = 1 end, text(20000000)) end" },

  ["string.byte"] = { "local s = text(20000000) while true do s:byte(1, 200000) end" },
  ["string.char"] = { "local t = list(200000, 65) while true do string.char(table.unpack(t)) end" },
  ["string.find"] = {
    "text(31000):find('a-' .. text(10) .. 'b')", "text(31000):find('[' .. text(30, '%d') .. 'a]-b')",
    "text(31000):find('a-' .. text(1000) .. 'b')",
    "text(15500, 'ab'):find('.-' .. ('%f[' .. text(30, '%d') .. 'a]'):rep(10) .. 'c')", "text(60000):find('.-.-.-.-.-b')",
    "text(60000, '('):find('%b()')", "text(60):find(text(60, 'a?') .. text(61))", "text(60000):find('(a-)%1b')",
    "text(60000):find('a*a*a*b')",
    "text(60000):find(text(30, '(') .. 'a-' .. text(30, ')') .. 'b')", "text(60000):find('[' .. text(1000, 'b') .. ']-c')",
    "while true do text(20000000):find(text(10000) .. 'b', 1, true) end",
    "while true do text(20000000):find(text(200, 'ab') .. 'c', 1, true) end",
    "table.sort(list(100000, text(600)), string.find)",
  },
  ["string.match"] = { "text(60000):match('(.-)(.-)(.-)%3%2%1b')", "text(60000):match('^(a*)*(a*)*(.-)(.-)b$')",
  "text(60000):match('.-%f[b]')" },
  ["string.gmatch"] = {
    "for _ in text(60000):gmatch('a-b') do end",
    "for _ in text(60000):gmatch('()a*b?()') do end while true do for _ in text(60000):gmatch('') do end end",
  },
  ["string.gsub"] = {
    "text(60000):gsub('a-b', '')", "text(60000):gsub('', text(3000000, '%1'))", "text(60000):gsub('a', text(60000))",
    "text(60000):gsub('(a)', text(3000000, '%1'))",
    "text(60000):gsub('a', behind({}))", "text(60000):gsub('', function() return text(1000000) end)",
    "text(60000):gsub('a', string.rep)",
    "text(60000, '(a'):gsub('%b()', '')",
  },
  ["string.format"] = {
    "local t = list(200000, text(30000000)) string.format(text(200000, '%.0s'), table.unpack(t))",
    "while true do string.format(text(200000, '%99.99f'), table.unpack(list(200000, 1e308))) end",
    "while true do ('%q'):format(text(10000000, '\\0')) end",
    "while true do string.format(text(30000000, '%%')) end",
    "while true do ('%s'):rep(1000):format(table.unpack(list(1000, text(20000)))) end",
    "table.sort(list(1000000, text(100)), string.format)",
  },
  ["string.len"] = { "table.sort(list(1000000, 'a'), string.len)" },
  ["string.lower"] = { "local s = text(20000000) while true do s:lower() end" },
  ["string.upper"] = { "local s = text(20000000) while true do s:upper() end",
    "table.sort(list(1000, text(20000000)), string.upper)" },
  ["string.reverse"] = { "local s = text(20000000) while true do s:reverse() end" },
  ["string.sub"] = { "local s = text(20000000) while true do s:sub(2) end",
    "table.sort(list(1000, text(20000000)), string.sub)" },
  ["string.rep"] = {
    "while true do (''):rep(60000000) end", "while true do ('a'):rep(60000000) end",
    "while true do (''):rep(30000000, 'a') end",
    "table.sort(list(100000, '1000000'), string.rep)",
  },
  ["string.pack"] = { "while true do string.pack(text(20000000, 'x')) end",
    "while true do string.pack(text(1000, 'z'), table.unpack(list(1000, text(20000)))) end" },
  ["string.packsize"] = { "while true do string.packsize(text(20000000, 'b')) end",
  "while true do string.packsize(text(20000000, 'Xi16')) end" },
  ["string.unpack"] = { "while true do string.unpack(text(200000, 'z'), text(200000, '\\0')) end",
  "while true do pcall(string.unpack, text(20000000, ' '), '') end" },

  ["table.concat"] = {
    "table.concat(behind(list(1000000, '')))", "table.concat(behind(list(1000000, '')), '', 1, 1000000)",
    "table.concat(powers(), '', 1, 1 << 61)",
    "while true do table.concat(list(1000000, '')) end", "table.concat(list(1000, text(30000000)))",
    "table.concat(list(1000000, ''), text(30000000))",
  },
  ["table.insert"] = { "table.insert(powers(), 1, 0)", "local t = list(1000000) while true do table.insert(t, 1, 0) end",
  "table.insert(behind(powers()), 1, 0)" },
  ["table.remove"] = { "table.remove(powers(), 1)", "local t = list(1000000) while #t > 0 do table.remove(t, 1) end",
  "table.remove(behind(powers()), 1)" },
  ["table.pack"] = { "local t = list(200000) while true do table.pack(table.unpack(t)) end" },
  ["table.unpack"] = {
    "while true do table.unpack({}, 1, 900000) end", "table.unpack(behind({}), 1, 900000)",
    "table.unpack(powers(), 1, 1 << 61)",
    "table.unpack({}, math.mininteger, math.maxinteger)",
  },
  ["table.sort"] = {
    "local t, s = {}, text(20000000, '\\0') for i = 1, 400 do t[i] = s end t[3] = s .. 'x' table.sort(t)",
    "table.sort(list(2000000), math.ult)",
    "table.sort(list(1000000), function(a, b) return a < b end)", "table.sort(list(2000000))", "table.sort(list(2000000, 1))",
    "local t, k = {}, 1 << 30 while k > 0 do t[k] = 1 k = k // 2 end table.sort(t, function() return false end)",
    "local t, k = {}, 1 << 30 while k > 0 do t[k] = 1 k = k // 2 end table.sort(t, type)",
    "table.sort(behind(list(100000)), math.ult)",
    "local t = {} for i = 1, 300000 do t[i] = i % 2 end table.sort(t, function(a, b) return a <= b end)",
  },
  ["utf8.char"] = { "local t = list(200000, 65) while true do utf8.char(table.unpack(t)) end" },
  ["utf8.codepoint"] = { "local s = text(200000) while true do utf8.codepoint(s, 1, -1) end" },
  ["utf8.codes"] = { "local s = text(20000000) while true do for _ in utf8.codes(s) do end end",
  "while true do pcall(utf8.codes(text(20000000, '\\x80')), '', 0) end" },
  ["utf8.len"] = { "local s = text(20000000) while true do utf8.len(s) end" },
  ["utf8.offset"] = { "local s = text(20000000) while true do utf8.offset(s, 20000000) end",
    "local s = text(20000000, '\\x80') while true do pcall(utf8.offset, s, -1) end" },

  ["cjson.encode"] = {
    "local t = {} for i = 1, 300000 do t['k' .. i] = 1 end cjson.encode(list(60, t))", "cjson.encode(shared({}, 60))",
    "cjson.encode(shared(emptied(), 30))",
    "cjson.encode(list(1000, text(1000000)))", "while true do pcall(cjson.encode, text(20000000, '\\1')) end",
    "cjson.encode(list(1000, list(100000, 1.5)))",
    "cjson.encode(powers())", "local t = {} t.t = t while true do pcall(cjson.encode, t) end",
    "cjson.encode(list(10000, emptied()))",
    "local t = {} for i = 1, 60000 do t[text(500) .. i] = 1 end cjson.encode(list(500, t))",
  },
  ["cjson.decode"] = {
    "local s = '[' .. text(400000, '1,') .. '1]' while true do cjson.decode(s) end",
    "local s = text(30000000, ' ') .. '1' while true do cjson.decode(s) end",
    "local s = text(20000000, '1') while true do pcall(cjson.decode, s) end",
    "local s = '1e' .. text(20000000, '0') .. '1' while true do pcall(cjson.decode, s) end",
    "local s = '0.' .. text(20000000, '1') while true do pcall(cjson.decode, s) end",
    "while true do pcall(cjson.decode, text(30000000, '[')) end",
    "local s = '\"' .. text(5000000, '\\\\u00e9') .. '\"' while true do cjson.decode(s) end",
    "local t = {} for i = 1, 100000 do t[i] = '\"k' .. i .. '\":1' end local s = '{' .. table.concat(t, ',') .. '}' while"
      .. " true do cjson.decode(s) end",
  },
  ["cjson.bytes"] = {
    "cjson.bytes(shared({}, 60))", "cjson.bytes(list(1000, text(1000000)))",
    "local s = text(5000000) while true do pcall(cjson.bytes, s) end",
    "cjson.bytes(list(10000, emptied()))", "local t = {} for i = 1, 1000000 do t[i % 100] = cjson.bytes(text(100000)) end",
  },
  ["cjson.is_whole"] = { "table.sort(list(1000000), cjson.is_whole)" },
  ["cjson.array"] = { "while true do cjson.array() end" },
  ["cjson.is_array"] = { "local t = powers() while true do cjson.is_array(t) end" },

  ["ctx.request"] = {
    "ctx.request { path = '/x', json = shared({}, 60) }",
    "while true do pcall(ctx.request, { path = '/x', json = list(100, text(1000000)), mock = {} }) end",
    "local p = { name = 'a', data = text(20000000) } ctx.request { path = '/x', form = list(60, p) }",
    "local p = { name = 'a', data_uri = 'data:image/png;base64,' .. text(20000000) } while true do ctx.request { path ="
      .. " '/x', form = list(60, p), mock = {} } end",
    "local q = {} for i = 1, 30 do q['q' .. i] = text(1000000, '%') end while true do pcall(ctx.request, { path = '/x',"
      .. " query = q, mock = {} }) end",
    "while true do pcall(ctx.request, { url = text(20000000), mock = {} }) end",
    "while true do pcall(ctx.request, { path = '/x', headers = emptied(), mock = {} }) end",
    "local h = { A = text(20000000) } while true do pcall(ctx.request, { path = '/x', headers = h, mock = {} }) end",
    "while true do pcall(ctx.request, { path = '/x', form = powers(), mock = {} }) end",
    "local b = text(20000000, '%41&') while true do pcall(ctx.request, { path = '/x', body = b, mock = {},\n"
      .. "headers = { ['Content-Type'] = 'application/x-www-form-urlencoded' } }) end",
    "local b = text(20000000, '&') ctx.request { path = '/x', body = b, headers = { ['Content-Type'] ="
      .. " 'application/x-www-form-urlencoded' } }",
  },
  ["ctx.model"] = { "local s = text(20000000) while true do ctx.model(s) end",
    "local s = text(200) while true do ctx.model(s) end" },
  ["ctx.price"] = { "local s = text(20000000) while true do ctx.price(s) end",
    "local s = text(200) while true do ctx.price(s) end" },
  ["ctx.observed"] = { "local s = text(20000000) while true do ctx.observed(s, s) end",
    "local s = text(200) while true do ctx.observed(s, s) end" },
  ["ctx.note"] = { "while true do ctx.note(text(20000000)) end" },
  ["ctx.warn"] = { "while true do ctx.warn { message = text(20000000), field = text(1000000) } end" },
  ["ctx.needs_host"] = { "local s = 'https://' .. text(20000000) while true do pcall(ctx.needs_host, s) end",
    "local s = 'https://a.example/' .. text(1000000, '%2f%2f.') while true do pcall(ctx.needs_host, s) end" },
  ["ctx.needs"] = { "while true do ctx.needs { message = text(20000000), allowed = powers() } end" },
}

-- One line each: they do little, whatever they are given; a loop of them is a script's own.
local quick = {
  "math.abs(-1)", "math.ceil(1e300)", "math.exp(1e300)", "math.floor(-1e300)", "math.fmod(1e308, 5e-324)",
  "math.log(1e308, 1.0000000001)",
  "math.max(table.unpack(list(200000)))", "math.min(table.unpack(list(200000)))", "math.modf(1e308)", "math.sqrt(1e308)",
  "math.tointeger('1')",
  "math.type(1)", "math.ult(1, 2)",
}
for _, call in ipairs(quick) do
  hostile_calls.calls[call:match("^[%w.]+")] = { "while true do pcall(function() " .. call .. " end) end" }
end

-- Assignments to a library, and arithmetic on a text, which is read as a number each time.
for _, name in ipairs { "string", "table", "math", "utf8", "cjson" } do
  local library = name == "cjson" and "cjson" or name
  hostile_calls.calls[name .. "<meta>.__newindex"] =
    { ("while true do pcall(function(name) %s[name] = 1 end, text(20000000)) end"):format(library) }
end
for _, name in ipairs { "string", "table", "math", "utf8", "cjson" } do
  hostile_calls.calls[name .. "<meta>.__len"] = { "while true do local length = #" .. name .. " end" }
end
for name, operator in pairs { add = "+", sub = "-", mul = "*", div = "/", idiv = "//", mod = "%", pow = "^" } do
  hostile_calls.calls["text<meta>.__" .. name] = { ("local s = text(20000000, '9') while true do local x = s %s 7"
    .. " end"):format(operator) }
end
hostile_calls.calls["text<meta>.__unm"] = { "local s = text(20000000, '9') while true do local x = -s end" }

-- What is called or run without a name.
hostile_calls.unnamed = {
  ["iterator of gmatch"] = { "local f = text(60000):gmatch('a-b') table.sort(list(1000), f)" },
  ["iterator of ipairs"] = { "local f, t = ipairs(behind({})) while true do f(t, 0) end" },
  ["comparison"] = { "local a = text(20000000, '\\0') local b = a .. 'x' while true do local c = a < b end" },
  ["concatenation"] = { "local s = text(20000000) while true do local t = s .. 'x' end" },
  ["length"] = { "local t = powers() while true do local n = #t end" },
  ["keys"] = { "local t = {} while true do t[text(20000000)] = 1 t = {} end" },
  ["class"] = { "local t = behind({}) while true do local x = t.x end" },
}

-- Whole files whose text takes the compiler long.
hostile_calls.files = {
  ["a chain of or"] = "local x return " .. ("x or "):rep(200000) .. "x",
  ["a chain of elseif"] = "local x if x then " .. ("elseif x then "):rep(70000) .. "end",
  ["a chain of and"] = "local x if " .. ("x and "):rep(170000) .. "x then end",
  ["many breaks"] = "local x while x do " .. ("if x then break end "):rep(30000) .. "end",
  ["deep parentheses"] = "return " .. ("("):rep(400000) .. "1" .. (")"):rep(400000),
  ["a long comment"] = "--[[" .. ("x"):rep(1000000) .. "]]",
  ["many functions"] = ("local function f() end "):rep(190) .. ("f = function() return f end "):rep(30000),
}

return hostile_calls
