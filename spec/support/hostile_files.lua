-- Files in providers/ that the host must refuse at load, and what it says about them. Add a case, not code.
--
--   name      the file's name without .lua
--   source    its text; or what script_text.provider takes: top, fields, a function's body
--   line      the line that is named (absent: any)
--   says      a pattern that the message matches, after "providers/NAME.lua:LINE: "
local script_text = require "spec.support.script_text"

local OVER = "over its" -- time, instructions or memory, whichever comes first

local texts = {
  { name = "empty", source = "", line = 1, says = "return a table, got nil" },
  { name = "blank", source = "\n\n-- nothing\n", line = 1, says = "return a table, got nil" },
  { name = "returns_number", source = "return 7", line = 1, says = "return a table, got number" },
  { name = "returns_function", source = "return function() end", line = 1, says = "return a table, got function" },
  { name = "returns_library", source = "return string", says = "unknown key" },
  { name = "returns_environment", source = "return _ENV", says = "" },
  { name = "syntax", source = "return {\n  id = 'x'\n  kind = 'image'\n}", line = 3, says = "'}' expected" },
  { name = "unfinished_text", source = "return { id = 'x", line = 1, says = "unfinished string" },
  { name = "unfinished_comment", source = "--[[ " .. ("x"):rep(1000), says = "unfinished long comment" },
  { name = "bytes", source = "\xff\xfe\0\1", says = "unexpected symbol" },
  { name = "bytecode", source = string.dump(load("return { id = 'x' }")), says = "binary chunk" },
  { name = "bytecode_start", source = "\27Lua", says = "binary chunk" },
  { name = "deep_parentheses", source = "return " .. ("("):rep(100000) .. "1" .. (")"):rep(100000), says = "overflow" },
  { name = "deep_tables", source = "return " .. ("{"):rep(100000) .. ("}"):rep(100000), says = "overflow" },
  { name = "many_locals", source = ("local a = 1\n"):rep(300) .. "return {}", says = "too many local variables" },
  { name = "many_upvalues", source = "goto nowhere", line = 1, says = "no visible label 'nowhere'" },
  { name = "huge_file", source = "-- " .. ("x"):rep(1048576) .. "\nreturn {}", says = "larger than 1048576 bytes" },
}

local runs = {
  { name = "load_loop", top = "while true do end", says = OVER },
  { name = "load_loop_in_pcall", top = "while true do pcall(function() while true do end end) end", says = OVER },
  { name = "load_goto", top = "::a:: goto a", says = OVER },
  { name = "load_rep_loop", top = "while true do (''):rep(60000000) end", says = OVER },
  { name = "load_recursion", top = "local function f() return 1 + f() end f()", says = OVER },
  { name = "load_string_bomb", top = "local s = 'x' while true do s = s .. s end", says = OVER },
  { name = "load_table_bomb", top = "local t = {} while true do t[#t + 1] = {} end", says = OVER },
  { name = "load_error", top = "error('no')", line = 1, says = "no" },
  { name = "load_error_nil", top = "error()", line = 1, says = "not text" },
  { name = "load_error_table", top = "error({ field = 'x', message = 'y' })", line = 1, says = "not text" },
  { name = "load_global", top = "\n\ncount = 1", line = 3, says = "assignment to global 'count'" },
  { name = "load_os", top = "local t = os.time()", line = 1, says = "undeclared global 'os'" },
  { name = "load_write_string", top = "function string.evil() end", line = 1, says = "read%-only" },
  { name = "load_gc", top = "setmetatable({}, { __gc = function() while true do end end })", line = 1,
  says = "__index = table" },
  { name = "load_pattern", top = "(('a'):rep(60000)):find('.-.-.-b')", line = 1, says = "limit" },
  { name = "require_missing", top = "\nrequire 'nothing'", line = 2, says = "there is no lua/nothing.lua" },
  { name = "require_path", top = "require '../../etc/passwd'", line = 1, says = "there is no lua/" },
  { name = "require_absolute", top = "require '/etc/passwd'", line = 1, says = "there is no lua/" },
  { name = "require_provider", top = "require '../providers/bystander'", line = 1, says = "there is no lua/" },
  { name = "require_nul", top = "require 'help\\0er'", line = 1, says = "there is no lua/" },
  { name = "require_table", top = "require {}", line = 1, says = "string expected" },
  { name = "require_loop", top = "require 'hostile_a'", says = "overflow" },
  { name = "require_syntax", top = "require 'hostile_syntax'", says = "lua/hostile_syntax.lua:2:" },
  { name = "require_endless", top = "require 'hostile_endless'", says = OVER },
  { name = "require_global", top = "require 'hostile_global'", says = "assignment to global 'leak'" },
}

-- One field of an otherwise good table.
local fields = {
  { "id", false, "expected text, got nil" }, { "id", "5", "expected text, got number" }, { "id", "''", "lower%-case letters" },
  { "id", "'Fal'", "lower%-case letters" }, { "id", "'a b'", "lower%-case letters" }, { "id", "'../x'", "lower%-case letters" },
  { "id", "('x'):rep(32)", "lower%-case letters" }, { "id", "'caf\\xc3\\xa9'", "lower%-case letters" },
  { "id", "'a\\0b'", "NUL" },
  { "id", "'bystander'", "is taken by providers/bystander.lua" },
  { "kind", false, "expected text, got nil" }, { "kind", "'audio'", "expected 'gpu', 'image' or 'video'" },
  { "kind", "{}", "expected text" },
  { "name", "{}", "expected text, got table" }, { "feature_flag", "true", "expected text" }, { "docs_url", "7",
  "expected text" },
  { "docs_url", "'javascript:alert(1)'", "begins with https://" }, { "pricing_url", "'ftp://x'", "begins with https://" },
  { "dashboard_url", "'http://vendor.example'", "begins with https://" }, { "dashboard_url", "'https://'", "with https://" },
  { "dashboard_url", "'https://vendor.example/a b'", "a blank" }, { "dashboard_url", "{}", "expected text" },
  { "base_url", "'vendor.example'", "begins with https://" }, { "base_url", "'file:///etc'", "begins with https://" },
  { "last_checked", "20250217", "expected text" }, { "aliases", "'x'", "list of texts" }, { "aliases", "{ 1 }",
  "expected text" },
  { "aliases", "{ 'BYSTANDER' }", "is taken by providers/bystander.lua" },
  { "aliases", "(function() local t = {} for i = 1, 100 do t[i] = 'a' .. i end return t end)()", "at most 32" },
  { "hosts", "'vendor.example'", "list of texts" }, { "hosts", "{ {} }", "expected text" },
  { "outputs", "'all'", "a list of hosts or 'any'" }, { "outputs", "7", "a list of hosts or 'any'" },
  { "outputs", "{ 1 }", "expected text" },
  { "auth", "'Bearer'", "expected a table" }, { "auth", "{ 'Bearer' }", "header = " }, { "auth", "{ A = 1 }", "header = " },
  { "auth", "{ A = 'Key {api_key}' }", "A: {api_key} is none of this provider's credentials" },
  { "auth_forms", "'Bearer'", "expected a table" }, { "auth_forms", "{ b = 'Bearer' }", "name = { header" },
  { "auth_forms", "{ b = { A = 1 } }", "header = " }, { "auth_forms", "{ b = { A = '{x}{y}' } }", "{x} is none of this" },
  { "shared_hosts", "'vendor.example'", "list of texts" }, { "shared_hosts", "{ 1 }", "expected text" },
  { "credentials", "'key'", "expected a table" }, { "credentials", "{ 'key' }", "name = { ... }" },
  { "credentials", "{ key = 1 }", "expected a table, got number" },
  { "credentials", "{ key = { envs = {} } }", "unknown key; did you mean 'env'" },
  { "credentials", "{ key = { env = 'X' } }", "list of texts" },
  { "credentials", "{ key = { env = { 1 } } }", "expected text" },
  { "credentials", "{ key = { pattern = '(' } }", "pattern: at byte 2 of '%(': %( without %); allowed are bytes" },
  { "credentials", "{ key = { pattern = '^(a|b' } }", "%( without %)" },
  { "credentials", "{ key = { pattern = 'a)' } }", "%) without" },
  { "credentials", "{ key = { pattern = '^sk-[a-z' } }", "%[ without %]" },
  { "credentials", "{ key = { pattern = '*a' } }", "nothing to" },
  { "credentials", "{ key = { pattern = 'a\\0b' } }", "NUL" }, { "credentials", "{ key = { pattern = 'a{300}' } }", "255" },
  { "credentials", [[{ key = { pattern = '(a)\\1' } }]], "at byte 5 .*punctuation" },
  { "credentials", [[{ key = { pattern = '\\d+' } }]], "%[%[:digit:%]%]" },
  { "credentials", "{ key = { pattern = 'a{,3}' } }", "number" },
  { "credentials", "{ key = { pattern = '[[:word:]]' } }", "unknown class" },
  { "credentials", "{ key = { pattern = '[z-a]' } }", "range" },
  { "credentials", [[{ key = { pattern = '^(.*)(.*)(.*)(.*)\\4\\3\\2\\1x$' } }]], "punctuation" },
  { "credentials", "(function() local t = {} for i = 1, 30000 do t['k' .. i] = {} end return t end)()", "at most 16" },
  { "credentials", "{ key = { pattern = ('('):rep(20000) .. 'a' .. (')'):rep(20000) } }", "too long: at most 256 bytes" },
  { "credentials", "{ key = { pattern = ('('):rep(20) .. 'a' .. (')'):rep(20) } }", "more than 8 deep" },
  { "credentials", "{ key = { pattern = '((a{1,255}){1,255}){1,255}b' } }", "too large" },
  { "credentials", "{ key = { pattern = {} } }", "pattern: expected text" },
  { "credentials", "{ key = { hint = {} } }", "hint: expected text" },
  { "credentials", "{ key = { optional = 'yes' } }", "optional: expected true or false" },
  { "capabilities", false, "expected a table, got nil" }, { "capabilities", "'all'", "expected a table" },
  { "capabilities", "{ f = function() end }", "a function has no JSON form" },
  { "capabilities", "{ 1, x = 2 }", "both list items" },
  { "pricing", false, "expected a table, got nil" }, { "pricing", "0.04", "expected a table" },
  { "pricing", "{ usd = 0 / 0 }", "not a JSON number" },
  { "pricing", "(function() local t = {} t.t = t return t end)()", "nested deeper" },
  { "capabilities", "(function() local t = {} for i = 1, 60 do t = { t, t } end return t end)()", "" },
  { "capabilities", "{ ('x'):rep(1200000) }", "too large" },
  { "name", "('x'):rep(5000000)", "too large" },
  { "tags", "'x'", "expected a table" }, { "modes", "7", "expected a table" }, { "reviews", "'good'", "expected a table" },
  { "prepare", "{}", "expected a function, got table" }, { "estimate", "0.04", "expected a function" },
  { "webhook", "true", "expected a function" },
  { "cancel", "'no'", "expected a function" },
  { "webhook_signature", "'hmac'", "expected a table, got string" }, { "webhook_signature", "{}", "expected text, got nil" },
  { "webhook_signature", "{ scheme = 'hmac' }", "expected 'standard%-webhooks' or 'fal%-ed25519', got 'hmac'" },
  { "webhook_signature", "{ shceme = 'x' }", "unknown key; did you mean 'scheme'" },
  { "webhook_signature", "{ scheme = 'standard-webhooks' }", 'expected { path = "/...", field = "..." }, got nil' },
  { "webhook_signature", "{ scheme = 'standard-webhooks', secret = { path = 'x', field = 'key' } }", "begins with /, got 'x'" },
  { "webhook_signature", "{ scheme = 'standard-webhooks', secret = { path = '/x' } }", "field: expected text, got nil" },
  { "webhook_signature", "{ scheme = 'standard-webhooks', secret = { path = '/x', feild = 'k' } }", "did you mean 'field'" },
  { "webhook_signature", "{ scheme = 'standard-webhooks', secret = { path = '/x', field = 'k' }, jwks_url = 'https://x' }",
    "does not belong to this scheme" },
  { "webhook_signature", "{ scheme = 'fal-ed25519' }", "jwks_url: expected text, got nil" },
  { "webhook_signature", "{ scheme = 'fal-ed25519', jwks_url = 'http://127.0.0.1/jwks' }", "begins with https://" },
  { "webhook_signature", "{ scheme = 'fal-ed25519', jwks_url = 'https://x.example/jwks', secret = {} }", "does not belong" },
  { "webhook_signature", "{ scheme = 'fal-ed25519', jwks_url = 'https://x.example/jwks' }",
    "of no use without the function webhook" },
  { "captions", "{}", "unknown key" }, { "submitt", "1", "unknown key; did you mean 'submit'" },
  { "zzzzzz", "1", "unknown key" }, { "[1]", "'x'", "not text" },
}

local cases = {}
local function add(case)
  case.source = case.source or script_text.provider(case.name, case)
  cases[#cases + 1] = case
end

for _, case in ipairs(texts) do add(case) end
for _, case in ipairs(runs) do add(case) end
for i, field in ipairs(fields) do
  local key, text, says = table.unpack(field)
  local prefix = (key:find("^%a") and says ~= "" and not says:find("taken")) and key or ""
  add { name = ("field_%d_%s"):format(i, key:gsub("%A", "")), fields = { [key] = text }, says = prefix .. ".*" .. says }
end
for _, name in ipairs { "health", "submit", "poll" } do
  add { name = "without_" .. name, source = script_text.provider("without_" .. name):gsub("  " .. name .. " = ", "  cancel = "),
    says = name .. ": expected a function, got nil" }
end

local modules = {
  ["lua/hostile_a.lua"] = "return require 'hostile_b'",
  ["lua/hostile_b.lua"] = "return require 'hostile_a'",
  ["lua/hostile_syntax.lua"] = "local x = 1\nreturn }",
  ["lua/hostile_endless.lua"] = "while true do end",
  ["lua/hostile_global.lua"] = "leak = 1",
}

return { cases = cases, modules = modules }
