-- Hostile providers whose files load, and what the host answers when they are called. Add a case, not code.
--
--   name      the provider's id and its file's name
--   prepare, estimate, health, submit, poll, cancel
--             the body of that function; its parameter is `request`, `payload`, `job` or (last) `ctx`. The others behave.
--   top       what stands before the table
--   verb      what is called: the first that the case defines (prepare and estimate: submit)
--   status    of the answer; default 500
--   says      a pattern that its detail (or, in a 200, the whole body) matches; a list: one of them
--   lacks     plain text that the body must not have
--   check     more to be true of a 200: gets the decoded body
--   stops     true: the host had to stop the script (a limit of time, instructions or memory); "maybe": on a slow machine
--   calls     how often it is called in a row, each with the same answer; default 1
local TIME = "CPU time limit"
local OVER = "over its" -- time or instructions, whichever comes first
local MEMORY = "memory limit"
local TOO_LARGE = { "too large", OVER }

local loops = {
  { name = "loop_submit", submit = "while true do end", says = OVER, stops = true },
  { name = "loop_prepare", prepare = "while true do end", says = OVER, stops = true },
  { name = "loop_estimate", estimate = "repeat until false", says = OVER, stops = true },
  { name = "loop_health", health = "for i = 1, math.huge do end", says = OVER, stops = true },
  { name = "loop_poll", poll = "::again:: goto again", says = OVER, stops = true },
  { name = "loop_integers", submit = "for i = math.mininteger, math.maxinteger do end", says = OVER, stops = true },
  { name = "loop_in_pcall", submit = "while true do pcall(function() while true do end end) end", says = OVER, stops = true },
  {
    name = "loop_in_pcalls", says = OVER, stops = true,
    submit = "while true do pcall(pcall, pcall, pcall, function() while true do end end) end",
  },
  {
    name = "swallow_the_stop", says = OVER, stops = true,
    submit = "pcall(function() while true do end end)\nreturn ctx.request { path = '/after' }",
  },
  {
    name = "ladder_of_pcalls", says = OVER, stops = true,
    submit = "local function climb() local ok = pcall(climb) while not ok do ok = pcall(climb) end end\n"
      .. "climb() while true do pcall(climb) end",
  },
  { name = "loop_tail_calls", submit = "local function again() return again() end return again()", says = OVER, stops = true },
  {
    name = "loop_mock", says = "more than 128 requests",
    submit = "while true do ctx.request { path = '/x', mock = { status = 200 } } end",
  },
  {
    name = "loop_gsub_callback", says = OVER, stops = true,
    submit = "(('a'):rep(60000)):gsub('a', function() while true do end end)",
  },
  { name = "loop_comparator", submit = "table.sort({ 3, 2, 1 }, function() while true do end end)", says = OVER, stops = true },
  { name = "loop_iterator", submit = "for _ in function() return 1 end do end", says = OVER, stops = true },
  { name = "loop_next", submit = "local t = { 1 } while true do next(t) end", says = OVER, stops = true },
  { name = "loop_warnings", submit = "while true do ctx.warn { message = 'x' } end", says = OVER, stops = true },
  -- each turn of these is a second inside C: a count of instructions alone would come minutes late
  { name = "loop_rep_of_nothing", submit = "while true do (''):rep(60000000) end", says = TIME, stops = true },
  {
    name = "loop_slow_pattern", says = OVER, stops = true,
    submit = "local s = ('a'):rep(31000) while true do s:find('a-b') end",
  },
  {
    name = "loop_slow_find", says = TIME, stops = true,
    submit = "local s, p = ('a'):rep(200000), ('a'):rep(40000) .. 'b' while true do s:find(p, 1, true) end",
  },
  { name = "loop_long_copies", submit = "local s = ('a'):rep(20000000) while true do s:upper() end", says = TIME,
  stops = true },
  {
    name = "loop_slow_sort", says = TIME, stops = true,
    submit = "local t = {} for i = 1, 500000 do t[i] = i * 7919 % 500009 end\n"
      .. "while true do local c = table.pack(table.unpack(t, 1, 200000)) table.sort(c) end",
  },
  {
    name = "loop_shifting", says = TIME, stops = true,
    submit = "local t = {} for i = 1, 1000000 do t[i] = i end while true do table.insert(t, 1, 0) table.remove(t, 1) end",
  },
  {
    name = "loop_encode", says = TIME, stops = true,
    submit = "local t = {} for i = 1, 18 do t = { t, t } end while true do pcall(require('cjson').encode, t) end",
  },
  {
    name = "loop_decode", says = TIME, stops = true,
    submit = "local s = '[' .. ('1,'):rep(400000) .. '1]' while true do pcall(require('cjson').decode, s) end",
  },
}

local bombs = {
  { name = "recursion", submit = "local function f() return 1 + f() end return f()", says = OVER, stops = true },
  {
    name = "recursion_mutual", says = OVER, stops = true,
    prepare = "local a, b function a() return 1 + b() end function b() return 1 + a() end return a()",
  },
  { name = "recursion_gsub", submit = "local function f() return (('x'):gsub('x', f)) end return f()",
  says = "stack overflow" },
  { name = "recursion_pcall", submit = "local function f() return pcall(f) end return f()", says = "table is expected" },
  { name = "recursion_sort", submit = "local function f() table.sort({ 1, 2 }, f) end f()", says = "stack overflow" },
  { name = "bomb_doubling", submit = "local s = 'x' while true do s = s .. s end", says = MEMORY, stops = true },
  { name = "bomb_rep", submit = "return { id = ('x'):rep(1000000000) }", says = "more than %d+ repetitions" },
  { name = "bomb_rep_nothing", submit = "return { id = (''):rep(1000000000) }", says = "more than %d+ repetitions" },
  { name = "bomb_rep_separator", submit = "return { id = ('x'):rep(60000000, ('y'):rep(60000)) }", says = "too large" },
  { name = "bomb_rep_fits_not", submit = "return { id = ('xxxx'):rep(60000000) }", says = MEMORY, stops = true },
  { name = "bomb_table", submit = "local t = {} while true do t[#t + 1] = {} end", says = OVER, stops = true },
  { name = "bomb_keys", submit = "local t, i = {}, 0 while true do i = i + 1 t['k' .. i] = true end", says = OVER,
  stops = true },
  {
    name = "bomb_closures", says = OVER, stops = true,
    submit = "local f = function() end while true do local g = f f = function() return g end end",
  },
  {
    name = "bomb_in_pcall", says = "limit", stops = true,
    submit = "while true do pcall(function() local s = 'x' while true do s = s .. s end end) end",
  },
  {
    name = "bomb_concat", says = OVER, stops = true,
    submit = "local t = {} for i = 1, 100000 do t[i] = ('x'):rep(1000) end return { id = table.concat(t) }",
  },
  {
    name = "bomb_concat_shared", says = OVER, stops = true,
    submit = "local s, t = ('x'):rep(1000000), {} for i = 1, 1000 do t[i] = s end return { id = table.concat(t) }",
  },
  { name = "bomb_unpack", submit = "return { table.unpack({}, 1, 100000000) }", says = "too many results" },
  {
    name = "bomb_unpack_wide", says = "too many results",
    submit = "return { table.unpack({}, math.mininteger, math.maxinteger) }",
  },
  { name = "bomb_pack_format", submit = "return { id = string.pack('c67000000', 'x') }", says = MEMORY, stops = true },
  { name = "bomb_format", submit = "return { id = ('%500d'):format(1) }", says = "invalid conversion" },
  {
    name = "bomb_gsub_result", says = OVER, stops = true,
    submit = "return { id = ((('a'):rep(60000)):gsub('a', ('b'):rep(60000))) }",
  },
  { name = "bomb_utf8", submit = "return { id = utf8.char(table.unpack({ 0x7FFFFFFF, -1 })) }", says = "out of range" },
  { name = "bomb_utf8_codes", submit = "for _ in utf8.codes(('\\xff'):rep(100)) do end", says = "invalid UTF%-8" },
  {
    name = "bomb_kept", top = "local kept = {}", says = OVER, stops = true,
    submit = "for i = 1, 3000000 do kept[#kept + 1] = i .. '' end",
  },
}

local patterns = {
  { name = "pattern_find", submit = "(('a'):rep(60000)):find('.-.-.-.-b')", says = OVER, stops = true },
  { name = "pattern_match", submit = "string.match(('a'):rep(2000), 'a*a*a*b')", says = OVER, stops = true },
  { name = "pattern_gmatch", submit = "for _ in (('a'):rep(60000)):gmatch('a-b') do end", says = OVER, stops = true },
  { name = "pattern_gsub", submit = "(('a'):rep(60000)):gsub('a-b', '')", says = OVER, stops = true },
  { name = "pattern_anchored", submit = "(('a'):rep(2000)):find('^a*a*a*a*b')", says = OVER, stops = true },
  { name = "pattern_balanced", submit = "(('('):rep(60000)):find('%b()')", says = OVER, stops = true },
  { name = "pattern_optional", submit = "(('a'):rep(60)):find(('a?'):rep(60) .. ('a'):rep(61))", says = OVER, stops = true },
  { name = "pattern_backreference", submit = "(('a'):rep(30000)):find('(a-)%1b')", says = OVER, stops = true },
  {
    name = "pattern_long_set", says = "at most 1024 bytes",
    submit = "(('a'):rep(31000)):find('[' .. ('b'):rep(60000) .. ']-c')",
  },
  { name = "pattern_long", submit = "(('a'):rep(65536)):find(('[' .. ('b'):rep(1000000) .. ']'):rep(10))", says = "pattern" },
  { name = "pattern_long_subject", submit = "(('a'):rep(65537)):find('b')", says = "at most 65536 bytes" },
  {
    name = "pattern_plain_megabytes", status = 200,
    submit = "return { id = (('a'):rep(2000000)):find(('a'):rep(1000000) .. 'b', 1, true) or 'nothing' }",
  },
  { name = "pattern_malformed", submit = "('a'):find('[a')", says = "malformed pattern" },
  { name = "pattern_deep", submit = "(('a'):rep(300)):find(('(a'):rep(300))", says = "too many captures" },
  {
    name = "pattern_lying_order", says = "invalid order function",
    submit = "local t = {} for i = 1, 1000 do t[i] = i % 7 end table.sort(t, function() return true end)",
  },
}

-- What a script hands back goes into JSON, into the registry and to clients: it must be what it claims to be.
local values = {
  {
    name = "shared_payload", says = "limit", stops = true,
    prepare = "local t = {} for i = 1, 60 do t = { t, t } end return { a = t }",
  },
  {
    name = "shared_result", says = "limit", stops = true,
    submit = "local t = {} for i = 1, 60 do t = { t, t } end return { id = t }",
  },
  {
    name = "shared_json", says = "limit", stops = true,
    submit = "local t = {} for i = 1, 60 do t = { a = t, b = t } end ctx.request { path = '/x', json = t }",
  },
  { name = "shared_emptied", says = "limit", stops = true,
    submit = "local e = {} for i = 1, 300000 do e['k' .. i] = 1 end for i = 1, 300000 do e['k' .. i] = nil end\n"
      .. "local t = e for i = 1, 40 do t = { t, t } end ctx.request { path = '/x', json = t }" },
  { name = "cyclic_payload", prepare = "local t = {} t.t = t return t", says = "nested deeper" },
  { name = "cyclic_result", submit = "local t = {} t[1] = t return t", says = "nested deeper" },
  { name = "cyclic_json", submit = "local t = {} t.t = t ctx.request { path = '/x', json = t }", says = "nested deeper" },
  { name = "deep_payload", prepare = "local t = {} for i = 1, 1000 do t = { t } end return t", says = "nested deeper" },
  { name = "nan_payload", prepare = "return { steps = 0 / 0 }", says = "not a JSON number" },
  { name = "infinite_payload", prepare = "return { steps = { math.huge } }", says = "not a JSON number" },
  { name = "nan_estimate", estimate = "return { expected = 0 / 0 }", says = "estimate: expected" },
  { name = "infinite_estimate", status = 400, estimate = "return { expected = 1, high = math.huge }", says = "estimate: high" },
  { name = "negative_estimate", estimate = "return { expected = -0.01 }", says = "estimate: expected" },
  { name = "huge_estimate", status = 400, estimate = "return { expected = 1e300 }", says = "estimate: expected" },
  { name = "text_estimate", estimate = "return { expected = '5' }", says = "estimate: expected" },
  { name = "nan_quantity", estimate = "return { expected = 1, quantity = 0 / 0 }", says = "not a JSON number" },
  { name = "forged_estimate", estimate = "return { expected = 1, estimated_cost_usd = 0 }", says = "estimated_cost_usd" },
  { name = "function_payload", prepare = "return { f = function() end }", says = "a function has no JSON form" },
  { name = "function_result", submit = "return { f = print and 1 or next }", says = "undeclared global 'print'" },
  { name = "mixed_payload", prepare = "return { 1, 2, name = 3 }", says = "both list items and the key" },
  { name = "holes_payload", prepare = "local t = { 1, 2, 3, 4 } t[2] = nil return { t = t }", says = "holes" },
  { name = "sparse_payload", prepare = "return { t = { [9007199254740993] = 1 } }", says = "must be text" },
  { name = "float_keys", prepare = "return { [1.5] = 1 }", says = "must be text" },
  { name = "boolean_keys", prepare = "return { [true] = 1 }", says = "must be text" },
  { name = "long_payload", prepare = "return { s = ('x'):rep(1000000) }", status = 200 },
  { name = "longer_payload", prepare = "return { s = ('\\0'):rep(20000000) }", says = TOO_LARGE, stops = "maybe" },
  { name = "bytes_payload", prepare = "return { s = '\\xff\\xfe', ['\\xc3'] = utf8.char(0xD800) }", status = 200 },
  {
    name = "bytes_warning", status = 200,
    submit = "ctx.warn { field = '\\xff', message = '\\xc3\\x28' } ctx.note '\\xed\\xa0\\x80' return { id = 'x' }",
  },
  {
    name = "bytes_request", status = 200,
    submit = "ctx.request { path = '/\\xff', method = 'POST', headers = { X = '\\xff' }, body = '\\xff\\0' }",
  },
  { name = "bytes_mode", prepare = "return { mode = ('\\xc3\\xa9'):rep(40) }", status = 200 },
  { name = "text_payload", prepare = "return 'payload'", says = "a payload table" },
  { name = "number_result", submit = "return 7", says = "a table is expected" },
  { name = "nothing_returned", submit = "return", says = "must say why" },
  { name = "number_health", health = "return 7", says = "a table is expected" },
  { name = "text_poll", poll = "return 'done'", says = "a table is expected" },
  {
    name = "forged_fields", says = "the host's",
    prepare = "return { prompt = 'x' }, { job_id = 'mine', dry_run = false, execution_allowed = true }",
  },
  { name = "list_of_fields", prepare = "return { prompt = 'x' }, { 1, 2, 3 }", says = "must be text" },
  {
    name = "many_warnings", status = 200, lacks = "w100",
    submit = "for i = 1, 10000 do ctx.warn { message = 'w' .. i } end return { id = 'x' }",
  },
  {
    name = "many_notes", status = 200, lacks = "n100",
    submit = "for i = 1, 10000 do ctx.note('n' .. i) end return { id = 'x' }",
  },
  {
    name = "huge_warnings", says = TOO_LARGE, stops = "maybe",
    submit = "local s = ('w'):rep(8000000) for i = 1, 32 do ctx.warn { message = s } end",
  },
  { name = "table_warning", submit = "ctx.warn { message = {} }", says = "message must be text" },
  {
    name = "many_refusals", status = 200, lacks = "r100",
    submit = "local r = {} for i = 1, 10000 do r[i] = { field = 'f', message = 'r' .. i } end return nil, r",
  },
  {
    name = "huge_allowed", status = 200,
    submit = "local a = {} for i = 1, 1000000 do a[i] = i end return nil, { field = 'f', message = 'm', allowed = a }",
  },
  { name = "integer_overflow", prepare = "return { a = math.maxinteger + 1, b = math.mininteger // -1, c = 1 << 63 }",
    status = 200,
    check = function(body) return body.payload.a == math.mininteger and body.payload.c == math.mininteger end },
  {
    name = "division_by_zero", prepare = "return { a = 1 // 0 }",
    says = "providers/division_by_zero.lua:%d+: attempt to divide by zero",
  },
}

local errors = {
  { name = "error_nil", submit = "error(nil)", says = "not text" },
  { name = "error_number", submit = "error(42)", says = "not text" },
  { name = "error_function", submit = "error(function() end)", says = "not text" },
  { name = "error_table", submit = "error({})", status = 200 },
  { name = "error_prepare_table", prepare = "error({})", status = 400 },
  { name = "error_field_table", prepare = "error({ field = {}, message = {} })", status = 400 },
  { name = "error_field_huge", prepare = "error({ field = ('f'):rep(10000000), message = ('m'):rep(10000000) })",
  status = 400 },
  {
    name = "error_field_bytes", status = 400,
    prepare = "error({ field = ('\\xc3\\xa9'):rep(200), message = 'x' .. ('\\xc3\\xa9'):rep(400) })",
  },
  { name = "error_text_huge", submit = "error(('\\xc3\\xa9'):rep(10000000))", says = "providers/error_text_huge.lua" },
  { name = "error_object", prepare = "error(setmetatable({}, { __index = { field = 'x', message = 'y' } }))", status = 400 },
  {
    name = "error_array", status = 400, says = "b",
    prepare = "error(require('cjson').array { { field = 'a', message = 'b' } })",
  },
  { name = "refuse_number", prepare = "return nil, 7", status = 400 },
  { name = "assert_nil", submit = "assert(nil)", says = "assertion failed" },
  {
    name = "forged_limit", says = "providers/forged_limit.lua:%d+: the script is over",
    submit = "error('the script is over its memory limit of 64 MiB')",
  },
}

local environment = {
  { name = "write_string", submit = "string.rep = nil", says = "read%-only" },
  { name = "write_table", prepare = "table.concat = function() return 'mine' end", says = "read%-only" },
  { name = "write_math", health = "math.pi = 3", says = "read%-only" },
  { name = "write_cjson", submit = "require('cjson').encode = nil", says = "read%-only" },
  { name = "write_global", submit = "count = 1", says = "assignment to global 'count'" },
  { name = "write_builtin", submit = "pcall = nil", says = "assignment to global 'pcall'" },
  { name = "write_env", submit = "_ENV.pairs = nil", says = "assignment to global 'pairs'" },
  { name = "array_of_library", submit = "require('cjson').array(string)", says = "has a metatable" },
  { name = "array_of_environment", submit = "require('cjson').array(_ENV)", says = "has a metatable" },
  { name = "string_metatable", submit = "local s = '' s.upper = nil", says = "attempt to index a string" },
  { name = "no_dump", submit = "string.dump(function() end)", says = "'dump'" },
  { name = "no_random", submit = "return { id = math.random() }", says = "'random'" },
  { name = "no_move", submit = "table.move({}, 1, math.maxinteger, 2)", says = "'move'" },
  {
    name = "meta_gc", says = "only { __index = table }",
    submit = "setmetatable({}, { __gc = function() while true do end end })",
  },
  {
    name = "meta_close", says = "only { __index = table }",
    submit = "setmetatable({}, { __close = function() while true do end end })",
  },
  { name = "meta_mode", submit = "setmetatable({}, { __mode = 'k' })", says = "only { __index = table }" },
  {
    name = "meta_index_function", says = "only { __index = table }",
    submit = "setmetatable({}, { __index = function() while true do end end })",
  },
  { name = "meta_newindex", submit = "setmetatable({}, { __newindex = {} })", says = "only { __index = table }" },
  { name = "meta_metatable", submit = "setmetatable({}, { __metatable = false })", says = "only { __index = table }" },
  {
    name = "meta_name", says = "only { __index = table }",
    submit = "setmetatable({}, { __index = {}, __name = 'providerd.integer' })",
  },
  { name = "meta_late", status = 200,
    submit = "local m = { __index = {} } local t = setmetatable({}, m) m.__gc = function() while true do end end\n"
      .. "m.__tostring = m.__gc m.__len = m.__gc t = nil return { id = 'x' }" },
  { name = "meta_array", submit = "setmetatable(require('cjson').array {}, { __index = {} })",
  says = "has a metatable already" },
  { name = "meta_library", submit = "setmetatable(string, { __index = {} })", says = "has a metatable already" },
  { name = "meta_text", submit = "setmetatable('', {})", says = "table expected" },
  { name = "meta_loop", submit = "local m = {} m.__index = m setmetatable(m, m) return { id = m.nothing }", says = "loop" },
  {
    name = "many_classes", status = 200,
    submit = "for i = 1, 10000 do setmetatable({}, { __index = {} }) end return { id = 'x' }",
  },
  { name = "close_bad", submit = "local x <close> = {}", says = "non%-closable" },
  { name = "close_in_for", submit = "for _ in next, {}, nil, {} do end", says = "non%-closable" },
  { name = "close_nothing", submit = "local x <close> = nil return { id = 'x' }", status = 200 },
  {
    name = "ctx_kept", top = "local kept", status = 200, calls = 3,
    submit = "local c = kept or ctx kept = ctx c.note 'from an earlier ctx' return { id = 'x' }",
  },
  { name = "ctx_in_prepare", top = "local kept", health = "kept = ctx return { ok = true }",
    prepare = "if kept then return kept.request { path = '/x' } end error('no ctx was kept')", calls = 2, verb = "submit",
    says = "no ctx was kept" },
  { name = "ctx_changed", submit = "ctx.request = nil ctx.dry_run = false return { id = 'x' }", status = 200, calls = 2,
    check = function(body) return body.dry_run == true end },
  { name = "ctx_in_callback", submit = "('x'):gsub('x', function() ctx.request { path = '/x' } end)",
  says = "attempt to yield" },
  {
    name = "kept_memory", top = "local kept = {}", status = 200, calls = 3,
    submit = "for i = 1, 200000 do kept[#kept + 1] = i end return { id = 'x' }",
  },
}

local requests = {
  { name = "request_nothing", submit = "ctx.request {}", says = "path" },
  { name = "request_text", submit = "ctx.request 'https://vendor.example/'", says = "table expected" },
  {
    name = "request_foreign", status = 200, says = "not one of this provider's hosts",
    submit = "ctx.request { url = 'https://elsewhere.example/' }",
  },
  {
    name = "request_lookalike", status = 200, says = "not one of this provider's hosts",
    submit = "ctx.request { url = 'https://vendor.example.evil.example/' }",
  },
  {
    name = "request_backslash", status = 200, says = "must not carry a user name",
    submit = "ctx.request { url = 'https://evil.example\\\\@vendor.example/' }",
  },
  {
    name = "request_userinfo", status = 200, says = "must not carry a user name",
    submit = "ctx.request { url = 'https://vendor.example@evil.example/' }",
  },
  { name = "request_userinfo_path", submit = "ctx.request { path = '@evil.example/' }", status = 200 },
  { name = "request_file", submit = "ctx.request { url = 'file:///etc/passwd' }", status = 200, says = "https://" },
  { name = "request_gopher", submit = "ctx.request { url = 'gopher://vendor.example/' }", status = 200, says = "https://" },
  {
    name = "request_plain_http", submit = "ctx.request { url = 'http://vendor.example/' }", status = 200,
    says = "plain http goes to loopback only",
  },
  { name = "request_lookalike_loopback", submit = "ctx.request { url = 'http://127.evil.example/' }", status = 200,
    says = "plain http goes to loopback only",
    fields = { hosts = "{ '127.evil.example' }" } },
  { name = "request_dots", submit = "ctx.request { path = '/../../admin' }", status = 200, says = "segments" },
  { name = "request_encoded_dots", submit = "ctx.request { path = '/a/%2e%2e/b' }", status = 200, says = "segments" },
  { name = "request_half_encoded_dots", submit = "ctx.request { path = '/a/.%2e/b' }", status = 200, says = "segments" },
  { name = "request_fragment", submit = "ctx.request { path = '/a#b' }", status = 200, says = "fragment" },
  { name = "request_crlf_path", submit = "ctx.request { path = '/a\\r\\nX-Evil: 1' }", status = 200,
  says = "/a%%0D%%0AX%-Evil" },
  {
    name = "request_crlf_header", says = "control character",
    submit = "ctx.request { path = '/', headers = { A = 'b\\r\\nX-Evil: 1' } }",
  },
  { name = "request_nul_header", submit = "ctx.request { path = '/', headers = { A = 'b\\0c' } }", says = "control character" },
  {
    name = "request_header_name", says = "not a header name",
    submit = "ctx.request { path = '/', headers = { ['A: b\\r\\nC'] = 'd' } }",
  },
  { name = "request_header_number", submit = "ctx.request { path = '/', headers = { A = 1 } }", says = "must be text" },
  {
    name = "request_headers_many", says = "more than %d+ headers",
    submit = "local h = {} for i = 1, 1000 do h['X-' .. i] = 'x' end ctx.request { path = '/', headers = h }",
  },
  {
    name = "request_header_twice", status = 200,
    submit = "ctx.request { path = '/', headers = { Authorization = 'mine', authorization = 'also' } }",
  },
  {
    name = "request_host_header", says = "the host's",
    submit = "ctx.request { path = '/', headers = { Host = 'evil.example' } }",
  },
  {
    name = "request_framing", says = "the host's",
    submit = "ctx.request { path = '/', headers = { ['Transfer-Encoding'] = 'chunked' } }",
  },
  { name = "request_method", submit = "ctx.request { path = '/', method = 'GET / HTTP/1.1\\r\\n' }", says = "method" },
  {
    name = "request_query_many", says = "at most 32",
    submit = "local q = {} for i = 1, 1000 do q['q' .. i] = i end ctx.request { path = '/', query = q }",
  },
  { name = "request_query_table", submit = "ctx.request { path = '/', query = { a = {} } }", says = "query" },
  {
    name = "request_query_huge_number", status = 200,
    submit = "ctx.request { path = '/', query = { a = 1e300, b = 0 / 0, c = -math.huge } }",
  },
  {
    name = "request_form_many", says = "more than %d+ parts",
    submit = "local f = {} for i = 1, 1000 do f[i] = { name = 'a', value = 'b' } end ctx.request { path = '/', form = f }",
  },
  { name = "request_form_nameless", submit = "ctx.request { path = '/', form = { { value = 'b' } } }", says = "needs a name" },
  {
    name = "request_form_data_uri", says = "data_uri must be",
    submit = "ctx.request { path = '/', form = { { name = 'a', data_uri = 'javascript:1' } } }",
  },
  { name = "request_form_text", submit = "ctx.request { path = '/', form = { 'a' } }", says = "a list of" },
  {
    name = "request_form_type_lines", says = "content_type of a part has a control",
    submit = "ctx.request { path = '/', form = { { name = 'a', content_type = 'a/b\\r\\nX: 1', data = 'x' } } }",
  },
  {
    name = "request_form_name_lines", says = "name of a part has a control",
    submit = "ctx.request { path = '/', form = { { name = 'a\\r\\nX: 1', value = 'x' } } }",
  },
  {
    name = "request_form_filename_lines", says = "filename of a part has a control",
    submit = "ctx.request { path = '/', form = { { name = 'a', filename = 'b\\nX: 1', data = 'x' } } }",
  },
  {
    name = "request_form_nul", says = "name of a part has a control",
    submit = "ctx.request { path = '/', form = { { name = 'a\\0b', value = 'x' } } }",
  },
  {
    name = "request_form_uri_lines", says = "type in data_uri has a control",
    submit = "ctx.request { path = '/', form = { { name = 'a', data_uri = 'data:a/b\\r\\nX: 1,x' } } }",
  },
  {
    name = "request_form_not_base64", says = "is not base64", status = 200, -- a user's file: no fault of the script's
    submit = "ctx.request { path = '/', form = { { name = 'a', data_uri = 'data:a/b;base64,A?AA' } } }",
  },
  {
    name = "request_form_long_name", says = "at most 256",
    submit = "ctx.request { path = '/', form = { { name = ('a'):rep(1000), value = 'x' } } }",
  },
  -- what would not fit into the head of a request is told at once, not tried again and again
  {
    name = "request_long_header", says = "at most 8192",
    submit = "ctx.request { path = '/', headers = { A = ('a'):rep(40000) } }",
  },
  {
    name = "request_long_header_name", says = "at most 256",
    submit = "ctx.request { path = '/', headers = { [('a'):rep(300)] = 'b' } }",
  },
  {
    name = "request_long_head", says = "all headers together",
    submit = "local h = {} for i = 1, 8 do h['X-' .. i] = ('a'):rep(8000) end ctx.request { path = '/', headers = h }",
  },
  { -- braces in a header of a request are text
    name = "request_many_braces", status = 200,
    submit = "ctx.request { path = '/', headers = { A = ('{api_key}'):rep(900) } }",
  },
  {
    name = "request_long_auth", says = "at most 8192", submit = "ctx.request { path = '/' }",
    fields = { auth = "{ Authorization = ('a'):rep(9000) }" },
  },
  { name = "request_null_query", submit = "ctx.request { path = '/', query = { a = require('cjson').null } }", says = "query" },
  {
    name = "request_nul_query", submit = "ctx.request { path = '/', query = { ['a\\0b'] = 1, a = 2 } }", status = 200,
    says = "a=2&a%%00b=1",
  },
  { name = "request_timeout_nan", submit = "ctx.request { path = '/', timeout = 0 / 0 }", says = "timeout" },
  { name = "request_empty_url", submit = "ctx.request { url = '', query = { a = 1 } }", says = "url is empty" },
  { name = "request_nul_path", submit = "ctx.request { path = '/a\\0b' }", status = 200, says = "/a%%00b" },
  {
    name = "request_long_url", submit = "ctx.request { path = '/' .. ('a'):rep(1000000) }", status = 200,
    says = "URL would be too long",
  },
}

local cases = {}
for _, list in ipairs { loops, bombs, patterns, values, errors, environment, requests } do
  for _, case in ipairs(list) do cases[#cases + 1] = case end
end
for _, global in ipairs {
  "os", "io", "load", "loadstring", "loadfile", "dofile", "debug", "coroutine", "package", "getmetatable", "rawget", "rawset",
  "rawequal",
  "rawlen", "collectgarbage", "xpcall", "print", "warn", "unpack", "_G", "setfenv", "getfenv", "newproxy", "jit", "ffi",
} do
  cases[#cases + 1] = { name = "reads_" .. global:lower(), submit = "return " .. global .. ".x",
    says = "undeclared global '" .. global .. "'" }
end

return cases
