-- Calls of library functions, as texts: "name" and arguments, each as hexadecimal digits of its bytes behind a letter of its
-- kind. RUNNER makes
-- them, in a script and in plain Lua, and says of each what came of it.
local library_cases = {}

library_cases.RUNNER = [=[
local kinds = {}
local function bytes_of(hex) return (hex:gsub("..", function(two) return string.char(tonumber(two, 16)) end)) end
function kinds.s(text) return bytes_of(text) end
function kinds.n(text) return tonumber(bytes_of(text)) end
function kinds.b(text) return text == "31" end
function kinds.z() return nil end
function kinds.l(text)
  local list = {}
  for item in bytes_of(text):gmatch("[^,]+") do list[#list + 1] = tonumber(item) or item end
  return list
end
function kinds.f(text)
  local name = bytes_of(text)
  if name == "join" then return function(...) return table.concat({ ... }, "|") end end
  if name == "false" then return function() return false end end
  if name == "table" then return function() return {} end end
  if name == "descending" then return function(a, b) return a > b end end
  if name == "map" then return { a = "X", b = 7, ab = false, c = {} } end
end

local function show(...)
  local shown = {}
  for index = 1, select("#", ...) do
    local value = select(index, ...)
    if type(value) == "table" then
      local items = {}
      for at = 1, #value do items[at] = tostring(value[at]) end
      value = "{" .. table.concat(items, ",") .. "}"
    end
    value = tostring(value):gsub("0x%x+", "0x")
    shown[index] = value:gsub("[^ -~]", function(byte) return ("\\%d"):format(byte:byte()) end)
  end
  return table.concat(shown, "; ")
end

local calls = {}
function calls.gmatch(...)
  local found = {}
  for one, two in string.gmatch(...) do
    found[#found + 1] = tostring(one) .. "/" .. tostring(two)
    if #found > 100 then break end
  end
  return table.concat(found, " ")
end
for _, name in ipairs { "insert", "remove", "sort" } do
  calls[name] = function(list, ...) return table[name](list, ...), list end
end

local function run_one(text)
  local name, rest = text:match("^(%S+)(.*)$")
  local arguments, count = {}, 0
  for kind, hex in rest:gmatch(" (%a)(%x*)") do
    count = count + 1
    arguments[count] = kinds[kind](hex)
  end
  return show(pcall(calls[name] or string[name] or table[name], table.unpack(arguments, 1, count)))
end

local function run(list)
  local results = {}
  for index, text in ipairs(list) do results[index] = run_one(text) end
  return results
end
]=]

local function argument(value)
  local kind = type(value)
  if kind == "table" then kind, value = value[1], value[2] end
  if kind == "boolean" then value = value and "1" or "0" end
  return kind:sub(1, 1) .. tostring(value or ""):gsub(".", function(byte) return ("%02x"):format(byte:byte()) end)
end

local function call(name, ...)
  local parts = { name }
  for index = 1, select("#", ...) do parts[index + 1] = argument((select(index, ...))) end
  return table.concat(parts, " ")
end

local NIL, FUNCTIONS, LIST = { "z" }, "f", "l"

-- ---- patterns -------------------------------------------------------------------------------------------------------------

local PATTERNS = {
  "", "a", "^a", "a$", "^$", "^", "$", "a*", "a+", "a-", "a?", ".-b", "a*$", "^a-$", "[ab]", "[^ab]", "[a-c]", "[]]", "[^]]",
  "[]-a]",
  "[a-]", "[-a]", "[%a]", "[%a-z]", "[a-%z]", "[%]]", "[%^a]", "[^%s]+", "%a+", "%A+", "%c", "%d", "%D", "%g+", "%l", "%p",
  "%s", "%S+",
  "%u", "%w+", "%W", "%x+", "%X", "%z", "%Z", "%%", "%.", "%b()", "%bab", "%baa", "x%b()y", "%f[%w]%w+", "%f[%W]", "%f[a]",
  "%f[^a]",
  "%f[%z]", "()", "(a)", "(a*)", "(a-)(b)", "((a)(b))", "(()a())", "(a)%1", "(a*)%1", "(.)%1", "()%1", "(a)(b)%2%1", "%1",
  "(a)%2", "%0",
  "(%1)", "(a", "a)", "(a))", "((a)", "[a", "[", "[^", "[]", "[^]", "[%", "[a-", "%", "a%", "%b", "%ba", "%f", "%fa", "%f[",
  "%f[a", "a[",
  "ab[", "(()", "*", "+", "?", "-", "a**", "a*+", "^*", "^^a", "a^", "$a", "a$b", "a$*", ".*", ".+", "..", "^.*$",
  "(.*)(.*)(.*)",
  "^(.-)%s*$", "\0", "[\0]", "%\0", "a\0", "[^\0]", "\xff", "[\x80-\xff]+", "%f[\0]", "[a-\0]", "%q", "%Q", "%_", "[[]",
  "[a[]", "[%d%]]",
  ("a?"):rep(20) .. ("a"):rep(20), ("()"):rep(32), ("()"):rep(33), ("(a"):rep(33), ("a?"):rep(201), ("a*"):rep(250),
  ("(a)"):rep(40),
  ("x?"):rep(300), ("("):rep(250), ("a-"):rep(199), "%b\0\0", "[%b]", "[%f]", "[%1]",
}
local SUBJECTS = {
  "", "a", "b", "aa", "ab", "aab", "abab", "(a(b)c)", "x(())y", "hello world", " leading and trailing ", "THE (quick) fox",
  "a.b.c", "1234 0x1F",
  "a\0b", "\0", "\xff\x80", "aXbXc", "]", "[a]", "^a", "a$", "%", "a-b", ("a"):rep(30), ("ab"):rep(40), "  \t\n",
  "key = value", "é", "_",
  ("a"):rep(250), "qQ", "zZ",
}
local REPLACEMENTS = {
  "", "x", "%0", "%1", "%2", "%%", "%", "a%", "%a", "[%0]", "%1%1", "%9", "\0", "%0%0%0", { FUNCTIONS, "join" }, { FUNCTIONS,
  "false" },
  { FUNCTIONS, "table" }, { FUNCTIONS, "map" }, 7, true, NIL,
}
local POSITIONS = { NIL, 1, 2, 0, -1, -3, 5, 100, -100, math.mininteger, math.maxinteger }

local function add_all_calls(list, pattern, subject, pick)
  list[#list + 1] = call("find", subject, pattern)
  list[#list + 1] = call("find", subject, pattern, pick(POSITIONS), pick { true, false, NIL })
  list[#list + 1] = call("match", subject, pattern, pick(POSITIONS))
  list[#list + 1] = call("gmatch", subject, pattern, pick(POSITIONS))
  list[#list + 1] = call("gsub", subject, pattern, pick(REPLACEMENTS), pick { NIL, NIL, NIL, 0, 1, 2, -1 })
end

local function picker(seed)
  local state = seed
  return function(list)
    state = (state * 6364136223846793005 + 1442695040888963407)
    return list[((state >> 33) % #list) + 1]
  end
end

local function fixed_patterns()
  local list, pick = {}, picker(7)
  for _, pattern in ipairs(PATTERNS) do
    for _, subject in ipairs(SUBJECTS) do add_all_calls(list, pattern, subject, pick) end
  end
  return list
end

local PIECES = {
  "a", "b", "x", ".", "%a", "%d", "%s", "%w", "%S", "[ab]", "[^a]", "[a-z]", "[%w_]", "(", ")", "()", "(a)", "(.-)", "*", "+",
  "-", "?", "^", "$",
  "%1", "%2", "%b()", "%bab", "%f[%w]", "%f[%W]", "%f", "[", "]", "%", " ", "\0", "%.",
}

local function random_patterns()
  local list, pick = {}, picker(20260101)
  local letters = { "a", "b", "x", " ", "(", ")", ".", "1", "\0", "ab", "_", "a" }
  for _ = 1, 6000 do
    local pattern, subject = {}, {}
    for index = 1, pick { 1, 2, 3, 4, 5, 6, 8 } do pattern[index] = pick(PIECES) end
    for index = 1, pick { 0, 1, 2, 4, 8, 12 } do subject[index] = pick(letters) end
    add_all_calls(list, table.concat(pattern), table.concat(subject), pick)
  end
  return list
end

-- ---- the others -----------------------------------------------------------------------------------------------------------

local function other_functions()
  local list, pick = {}, picker(3)
  local function add(...) list[#list + 1] = call(...) end
  local values = { NIL, "", "abc", "1", 0, 1, 3, -1, 2.5, true, { LIST, "" }, { LIST, "3,1,2" }, { LIST, "a,b,c" }, { LIST,
  "b,1" } }
  for _, name in ipairs { "rep", "format", "lower", "upper", "reverse", "pack", "packsize", "unpack", "insert", "remove",
    "concat", "sort",
    "find", "match", "gmatch", "gsub" } do
    add(name)
    for _, first in ipairs(values) do
      add(name, first)
      for _, second in ipairs(values) do
        if not (name == "unpack" and first == "") then add(name, first, second) end
        add(name, first, second, pick(values))
        if name ~= "rep" then add(name, first, second, pick(values), pick(values)) end
      end
    end
  end
  for _, positions in ipairs { { 1 }, { 4 }, { 5 }, { 0 }, { -1 }, { math.maxinteger }, { math.mininteger } } do
    add("insert", { LIST, "1,2,3" }, positions[1], 9)
    add("remove", { LIST, "1,2,3" }, positions[1])
    add("remove", { LIST, "" }, positions[1])
    add("concat", { LIST, "1,2,3" }, "-", positions[1])
    add("concat", { LIST, "1,2,3" }, "-", positions[1], 3)
    add("rep", "ab", 3, positions[1])
  end
  for _, items in ipairs { "5,3,9,1,1,7", "b,a,\0,ab,A,,z,\xff,aa", "2,10,1.5", "a,1", "1" } do
    add("sort", { LIST, items })
    add("sort", { LIST, items }, { FUNCTIONS, "descending" })
    add("sort", { LIST, items }, { FUNCTIONS, "false" })
  end
  for _, count in ipairs { 0, 1, 2, 3, 7, 64, -5, 1.5 } do
    for _, text in ipairs { "", "a", "abc" } do
      add("rep", text, count)
      add("rep", text, count, "")
      add("rep", text, count, ", ")
    end
  end
  for _, format in ipairs { "%d", "%5.2f", "%s|%10s|%-10s", "%q", "%x", "%c", "%%", "%", "%y", "%.3s", "%a", "%i", "%5",
    "%s%s", "%.20f", "%g" } do
    add("format", format, 1, "two", 3)
    add("format", format, "a\0b", 2)
    add("format", format, 65.5)
  end
  for _, format in ipairs { "i4", "<i4>i4", "z", "s1", "c3", "!8i8", "j", "x", "i17", "Xi4", " i1 " } do
    add("pack", format, 1, 2)
    add("pack", format, "ab", 2)
    add("packsize", format)
    add("unpack", format, "abcdefgh\0ijklmnop")
    add("unpack", format, "abcdefgh\0ijklmnop", 4)
  end
  return list
end

library_cases.lists = { ["patterns"] = fixed_patterns, ["random patterns"] = random_patterns, ["others"] = other_functions }

return library_cases
