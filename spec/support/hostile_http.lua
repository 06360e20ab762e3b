-- Requests that are wrong below JSON, byte by byte. Add a case, not code.
--   name
--   line      the request line without its version ("GET /healthz"); `version` is HTTP/1.1
--   headers   lines, behind Host (host = false: none) and Connection: close
--   body      with its Content-Length, unless `headers` has lengths of its own (length = false)
--   raw       all of the bytes, instead of the above ({port} is replaced); a list: sent in pieces, `pause` seconds apart
--   half_close  true: the client says that nothing more comes
--   status    of the first answer, or a list of possible ones; "closed": no answer, the connection ends
--   answers   how many answers come in all; default 1. More than one where one was asked for is request smuggling
--   header    a header that the answer must have: { name, pattern }
--   says, lacks  a pattern in the detail; plain text that must not come back (default "evilmark")
--   registers how many tasks come of it; default 0
local SUBMIT = "POST /api/providers/image/stability/submit"
local GOOD = '{"prompt":"x"}'
local JSON = "Content-Type: application/json"
local SMUGGLED = "GET /api/jobs/all HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
local READINESS = "GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\n"

local function many(count, line)
  local lines = {}
  for i = 1, count do lines[i] = line:format(i) end
  return lines
end

local function chunked(...)
  local parts = {}
  for _, piece in ipairs { ... } do parts[#parts + 1] = ("%x\r\n%s\r\n"):format(#piece, piece) end
  return table.concat(parts)
end

local framing = {
  { name = "Content-Length and Transfer-Encoding", line = SUBMIT, body = "0\r\n\r\n" .. SMUGGLED, length = false, status = 400,
    headers = { JSON, "Content-Length: 5", "Transfer-Encoding: chunked" }, says = "exclude each other" },
  { name = "Transfer-Encoding and Content-Length", line = SUBMIT, body = "0\r\n\r\n" .. SMUGGLED, length = false, status = 400,
    headers = { JSON, "Transfer-Encoding: chunked", "Content-Length: 5" }, says = "exclude each other" },
  { name = "two lengths", line = SUBMIT, body = GOOD .. SMUGGLED, length = false, status = 400,
    headers = { JSON, "Content-Length: 14", "Content-Length: 200" }, says = "twice" },
  { name = "the same length twice", line = SUBMIT, body = GOOD, length = false, status = 400,
    headers = { JSON, "Content-Length: 14", "Content-Length: 14" }, says = "twice" },
  {
    name = "a list of lengths", line = SUBMIT, body = GOOD, length = false, status = 400,
    headers = { JSON, "Content-Length: 14, 14" },
  },
  {
    name = "a length with a plus", line = SUBMIT, body = GOOD, length = false, status = 400,
    headers = { JSON, "Content-Length: +14" },
  },
  {
    name = "a negative length", line = SUBMIT, body = GOOD, length = false, status = 411,
    headers = { JSON, "Content-Length: -1" },
  },
  {
    name = "a length with letters", line = SUBMIT, body = GOOD, length = false, status = 400,
    headers = { JSON, "Content-Length: 14abc" },
  },
  {
    name = "a hexadecimal length", line = SUBMIT, body = GOOD, length = false, status = 400,
    headers = { JSON, "Content-Length: 0xe" },
  },
  {
    name = "a length with a fraction", line = SUBMIT, body = GOOD, length = false, status = 400,
    headers = { JSON, "Content-Length: 14.0" },
  },
  {
    name = "an empty length", line = SUBMIT, body = GOOD, length = false, status = 411,
    headers = { JSON, "Content-Length:" },
  },
  { name = "a length of 2^64 + 14", line = SUBMIT, body = GOOD, length = false, status = { 400, 413 },
    headers = { JSON, "Content-Length: 18446744073709551630" } },
  {
    name = "a length far over the cap", line = SUBMIT, body = GOOD, length = false, status = 413,
    headers = { JSON, "Content-Length: 9999999999" },
  },
  {
    name = "a length just over the cap", line = SUBMIT, body = (" "):rep(65537), headers = { JSON }, status = 413,
    says = "max_body_bytes",
  },
  { name = "a body over the cap in chunks", line = SUBMIT, length = false, status = 413, says = "max_body_bytes",
    body = chunked(table.unpack(many(70, (" "):rep(1000)))) .. "0\r\n\r\n", headers = { JSON, "Transfer-Encoding: chunked" } },
  {
    name = "a body as large as may be", line = SUBMIT, body = GOOD .. (" "):rep(65536 - 14), headers = { JSON }, status = 200,
    registers = 1,
  },
  { name = "a body in chunks", line = SUBMIT, body = chunked('{"prom', 'pt":"x"}') .. "0\r\n\r\n", length = false, status = 200,
    registers = 1,
    headers = { JSON, "Transfer-Encoding: chunked" } },
  {
    name = "gzip and chunked", line = SUBMIT, body = "0\r\n\r\n", length = false, status = 400,
    headers = { JSON, "Transfer-Encoding: gzip, chunked" },
  },
  {
    name = "an unknown coding", line = SUBMIT, body = GOOD .. SMUGGLED, length = false, status = 400,
    headers = { JSON, "Transfer-Encoding: evil" },
  },
  {
    name = "identity", line = SUBMIT, body = GOOD .. SMUGGLED, length = false, status = 400,
    headers = { JSON, "Transfer-Encoding: identity" },
  },
  { name = "chunked twice", line = SUBMIT, body = "0\r\n\r\n", length = false, status = 400,
    headers = { JSON, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked" } },
  { name = "chunked in HTTP/1.0", line = SUBMIT, version = "HTTP/1.0", body = "0\r\n\r\n", length = false, status = 400,
    headers = { JSON, "Transfer-Encoding: chunked" } },
  { name = "a bad chunk size", line = SUBMIT, body = "evil\r\n" .. GOOD .. "\r\n0\r\n\r\n", length = false, status = 400,
    headers = { JSON, "Transfer-Encoding: chunked" } },
  { name = "a negative chunk", line = SUBMIT, body = "-e\r\n" .. GOOD .. "\r\n0\r\n\r\n", length = false, status = 400,
    headers = { JSON, "Transfer-Encoding: chunked" } },
  {
    name = "a huge chunk", line = SUBMIT, body = "ffffffffffffffff\r\n" .. GOOD .. "\r\n0\r\n\r\n", length = false,
    status = { 400, 413,
  },
    headers = { JSON, "Transfer-Encoding: chunked" } },
  { name = "a body cut short", line = SUBMIT, body = '{"prompt"', length = false, half_close = true, status = 400,
    headers = { JSON, "Content-Length: 14" }, says = "cut short" },
  { name = "chunks cut short", line = SUBMIT, body = "e\r\n{\"prompt\"", length = false, half_close = true, status = 400,
    headers = { JSON, "Transfer-Encoding: chunked" }, says = "cut short" },
  { name = "a slow body", status = 408, pause = 4, says = "in time",
    raw = {
      SUBMIT .. " HTTP/1.1\r\nHost: 127.0.0.1\r\n" .. JSON .. "\r\nContent-Length: 500\r\n\r\n",
      "{", " ", " ", " ", " ", " ", " ",
    } },
  { name = "a request behind a GET's body", status = 200, answers = 1,
    raw = READINESS .. "Connection: close\r\nContent-Length: " .. #SMUGGLED .. "\r\n\r\n" .. SMUGGLED },
  { name = "a CR within a chunk's size", line = SUBMIT, length = false, status = 400,
    headers = { JSON, "Transfer-Encoding: chunked" }, body = "e\re\r\n" .. GOOD .. "\r\n0\r\n\r\n" },
  { name = "a bare line feed behind a chunk's size", line = SUBMIT, length = false, status = 400,
    headers = { JSON, "Transfer-Encoding: chunked" }, body = "e\n" .. GOOD .. "\r\n0\r\n\r\n" },
  { name = "blanks behind a chunk's size", line = SUBMIT, length = false, status = 400,
    headers = { JSON, "Transfer-Encoding: chunked" }, body = "e \r\n" .. GOOD .. "\r\n0\r\n\r\n" },
  { name = "a chunk that is longer than it says", line = SUBMIT, length = false, status = 400,
    headers = { JSON, "Transfer-Encoding: chunked" }, body = "d\r\n" .. GOOD .. "\r\n0\r\n\r\n" },
  { name = "a chunk with a long extension", line = SUBMIT, length = false, status = 400,
    headers = { JSON, "Transfer-Encoding: chunked" }, body = "e;" .. ("x"):rep(70000) .. "\r\n" .. GOOD .. "\r\n0\r\n\r\n" },
  { name = "a chunk's size of many zeros", line = SUBMIT, length = false, status = 400,
    headers = { JSON, "Transfer-Encoding: chunked" },
    body = ("0"):rep(40) .. "e\r\n" .. GOOD .. "\r\n0\r\n\r\n" },
  { name = "a size in hexadecimal notation", line = SUBMIT, length = false, status = 400,
    headers = { JSON, "Transfer-Encoding: chunked" }, body = "0xe\r\n" .. GOOD .. "\r\n0\r\n\r\n" },
  { name = "a trailer", line = SUBMIT, length = false, status = 400, headers = { JSON, "Transfer-Encoding: chunked" },
    body = chunked(GOOD) .. "0\r\nX-Evil: evilmark\r\n\r\n" },
  { name = "a request behind a trailer", line = SUBMIT, length = false, status = 400,
    headers = { JSON, "Transfer-Encoding: chunked" }, body = chunked(GOOD) .. "0\r\nContent-Length: 5\r\n\r\n" .. SMUGGLED },
  { name = "chunked with a comma", line = SUBMIT, length = false, status = 400, body = "0\r\n\r\n" .. SMUGGLED,
    headers = { JSON, "Transfer-Encoding: chunked," } },
  { name = "an empty coding", line = SUBMIT, length = false, status = 400, body = GOOD .. SMUGGLED,
    headers = { JSON, "Transfer-Encoding:" } },
  { name = "a coding and an empty length", line = SUBMIT, length = false, status = 400, body = "0\r\n\r\n" .. SMUGGLED,
    headers = { JSON, "Transfer-Encoding: chunked", "Content-Length:" } },
  { name = "lengths that are spelt differently", line = SUBMIT, length = false, status = 400, body = GOOD .. SMUGGLED,
    headers = { JSON, "content-length: 14", "CONTENT-LENGTH: 014" } },
  { name = "a good request and a trailer's at once", status = 200, answers = 2,
    raw = READINESS .. "\r\n" .. SUBMIT .. " HTTP/1.1\r\nHost: 127.0.0.1\r\n" .. JSON ..
      "\r\nTransfer-Encoding: chunked\r\n\r\n" ..
      chunked(GOOD) .. "0\r\nX: y\r\n\r\n" .. SMUGGLED },
  { name = "three requests at once", status = 200, answers = 3, raw = READINESS:rep(3, "\r\n") .. "Connection: close\r\n\r\n" },
  {
    name = "a good and a bad request at once", status = 200, answers = 2,
    raw = READINESS .. "\r\n" .. READINESS .. "Content-Length: x\r\n\r\n" .. SMUGGLED,
  },
}

local heads = {
  { name = "70 headers", line = "GET /readyz", headers = many(70, "X-Evil-%d: evilmark"), status = 431 },
  { name = "a length behind 70 headers", line = SUBMIT, headers = many(70, "X-Evil-%d: evilmark"), body = GOOD, status = 431 },
  { name = "a huge header", line = "GET /readyz", headers = { "X-Evil: " .. ("evilmark"):rep(8000) }, status = { 400, 431 } },
  { name = "a huge name", line = "GET /readyz", headers = { ("X"):rep(40000) .. ": evilmark" }, status = { 400, 431 } },
  { name = "a folded header", line = SUBMIT, headers = { JSON, "X-A: b", " evilmark" }, body = GOOD, status = 400 },
  {
    name = "a space before the colon", line = SUBMIT, headers = { JSON, "Content-Length : 5" }, body = GOOD, length = false,
    status = 400,
  },
  { name = "a line without a colon", line = "GET /readyz", headers = { "evilmark" }, status = 400 },
  { name = "a NUL in a header", line = "GET /readyz", headers = { "X-A: b\0evilmark" }, status = 400 },
  { name = "a bare line feed", raw = "GET /readyz HTTP/1.1\nHost: 127.0.0.1\nConnection: close\n\n", status = 400 },
  { name = "one of two Connection lines says close", line = "GET /readyz", status = 200, header = { "connection", "close" },
    raw = READINESS .. "Connection: keep-alive\r\nConnection: close\r\n\r\n" .. SMUGGLED },
  { name = "an Upgrade", status = 200, header = { "connection", "close" },
    raw = READINESS .. "Connection: Upgrade, keep-alive\r\nUpgrade: websocket\r\n\r\n" .. SMUGGLED },
  { name = "no Host", line = "GET /readyz", host = false, status = 400, says = "Host" },
  { name = "two Hosts", line = "GET /readyz", headers = { "Host: 127.0.0.1" }, status = 400, says = "twice" },
  { name = "an empty Host", line = "GET /readyz", host = "", status = { 400, 421 } },
  { name = "a foreign Host", line = "GET /readyz", host = "evil.example", status = 421, lacks = "" },
  {
    name = "a foreign Host for a submit", line = SUBMIT, host = "127.0.0.1.evil.example", headers = { JSON }, body = GOOD,
    status = 421,
  },
  { name = "a Host with a user name", line = "GET /readyz", host = "127.0.0.1@evil.example", status = { 400, 421 } },
  { name = "a Host with a path", line = "GET /readyz", host = "127.0.0.1/evil.example", status = 400 },
  { name = "a Host with a path for /healthz", line = "GET /healthz", host = "127.0.0.1/evil.example", status = 400 },
  { name = "a Host of two words", line = "GET /readyz", host = "127.0.0.1 x", status = 400 },
  { name = "a Host with a comma and another", line = "GET /readyz", host = "127.0.0.1, evil.example", status = 400 },
  { name = "a Host with a bad port", line = "GET /readyz", host = "127.0.0.1:80x", status = 400 },
  { name = "a Host with a long port", line = "GET /readyz", host = "127.0.0.1:000000080", status = 400 },
  { name = "a Host with half a bracket", line = "GET /readyz", host = "[::1", status = 400 },
  { name = "a Host with a query", line = "GET /readyz", host = "127.0.0.1?x", status = 400 },
  { name = "a Host in numbers", line = "GET /readyz", host = "2130706433", status = 421 },
  { name = "any Host for /healthz", line = "GET /healthz", host = "evil.example", status = 200 },
  {
    name = "a foreign Origin", line = SUBMIT, headers = { JSON, "Origin: https://evil.example" }, body = GOOD, status = 403,
    says = "allowed_origins",
  },
  { name = "an Origin of null", line = SUBMIT, headers = { JSON, "Origin: null" }, body = GOOD, status = 403 },
  {
    name = "an Origin like ours", line = SUBMIT, headers = { JSON, "Origin: http://127.0.0.1.evil.example" }, body = GOOD,
    status = 403,
  },
  { name = "another site's page", line = SUBMIT, headers = { JSON, "Sec-Fetch-Site: cross-site" }, body = GOOD, status = 403 },
  { name = "a preflight", line = "OPTIONS /api/providers/image/stability/submit", status = 403,
    headers = { "Origin: https://evil.example", "Access-Control-Request-Method: POST" } },
  { name = "no content type", line = SUBMIT, body = GOOD, status = 415, says = "Content%-Type: application/json" },
  { name = "a form", line = SUBMIT, headers = { "Content-Type: application/x-www-form-urlencoded" }, body = "prompt=x",
    status = 415,
    says = "Content%-Type: application/json" },
  {
    name = "a form with a NUL", line = SUBMIT, body = "a=1\0&b=2", status = 415,
    headers = { "Content-Type: application/x-www-form-urlencoded" },
  },
  {
    name = "multipart", line = SUBMIT, body = "--x\r\n", status = 415,
    headers = { "Content-Type: multipart/form-data; boundary=x" },
  },
  { name = "plain text", line = SUBMIT, headers = { "Content-Type: text/plain" }, body = GOOD, status = 415 },
  { name = "almost JSON", line = SUBMIT, headers = { "Content-Type: application/jsonx" }, body = GOOD, status = 415 },
  { name = "an empty content type", line = SUBMIT, headers = { "Content-Type:" }, body = GOOD, status = 415 },
  { name = "two content types", line = SUBMIT, headers = { JSON, "Content-Type: text/plain" }, body = GOOD, status = 400 },
  { name = "a type in chunks", line = SUBMIT, headers = { "Content-Type: text/plain", "Transfer-Encoding: chunked" },
    length = false,
    body = chunked(GOOD) .. "0\r\n\r\n", status = 415 },
  { name = "a compressed body", line = SUBMIT, headers = { JSON, "Content-Encoding: gzip" }, body = "\31\139", status = 415 },
  { name = "an unknown expectation", line = SUBMIT, headers = { JSON, "Expect: evil" }, body = GOOD, status = 417 },
  { name = "a huge Idempotency-Key", line = SUBMIT, headers = { JSON, "Idempotency-Key: " .. ("k"):rep(300) }, body = GOOD,
    status = 400,
    says = "1 to 255" },
  { name = "an empty Idempotency-Key", line = SUBMIT, headers = { JSON, "Idempotency-Key:" }, body = GOOD, status = 400 },
  {
    name = "a request id with quotes", line = "GET /readyz", headers = { 'X-Request-ID: "evilmark"' }, status = 200,
    header = { "x-request-id", "^%x+$" },
  },
  { name = "a request id with a script", line = "GET /readyz", headers = { "X-Request-ID: <evilmark>" }, status = 200,
    header = { "x-request-id", "^%x+$" } },
  { name = "a huge request id", line = "GET /readyz", headers = { "X-Request-ID: " .. ("evilmark"):rep(100) }, status = 200,
    header = { "x-request-id", "^%x+$" } },
  {
    name = "a request id of Latin-1", line = "GET /readyz", headers = { "X-Request-ID: \xe9" }, status = 200,
    header = { "x-request-id", "^%x+$" },
  },
  {
    name = "a sane request id", line = "GET /readyz", headers = { "X-Request-ID: a-b_c.1" }, status = 200,
    header = { "x-request-id", "^a%-b_c%.1$" },
  },
}

local targets = {
  { name = "HTTP/2.0", raw = "GET / HTTP/2.0\r\n\r\n", status = 505 },
  { name = "HTTP/0.9", raw = "GET /\r\n\r\n", status = { 400, 505 } },
  { name = "HTTP/1.0", raw = "GET /readyz HTTP/1.0\r\n\r\n", status = 200 },
  {
    name = "HTTP/1.0 with a body", line = SUBMIT, version = "HTTP/1.0", host = false, headers = { JSON }, body = GOOD,
    status = 200, registers = 1,
  },
  { name = "the start of HTTP/2", raw = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", status = { 400, 505 } },
  { name = "TLS", raw = "\22\3\1\2\0\1\0\1\252\3\3" .. ("\0"):rep(600), half_close = true, status = { 400, "closed" } },
  { name = "noise", raw = ("\255\254\0\1"):rep(100) .. "\r\n\r\n", status = { 400, "closed" } },
  { name = "nothing", raw = "", half_close = true, status = "closed" },
  { name = "line ends", raw = ("\r\n"):rep(50), half_close = true, status = { 400, "closed" } },
  { name = "empty lines before the request", raw = ("\r\n"):rep(3) .. READINESS .. "Connection: close\r\n\r\n", status = 400 },
  { name = "a head cut short", raw = "GET /readyz HTTP/1.1\r\nHost: 127", half_close = true, status = { 400, "closed" } },
  { name = "a lower-case method", line = "get /readyz", status = { 400, 405, 501 } },
  { name = "a method of its own", line = "EVILMARK /readyz", status = { 400, 405, 501 } },
  { name = "TRACE", line = "TRACE /readyz", headers = { "X-Secret: evilmark" }, status = { 400, 405, 501 } },
  { name = "CONNECT", line = "CONNECT evil.example:443", status = { 400, 405, 501, "closed" } },
  { name = "OPTIONS *", line = "OPTIONS *", status = 400 },
  { name = "GET *", line = "GET *", status = 400 },
  { name = "an absolute URI of ours", status = 400,
    raw = "GET http://127.0.0.1:{port}/readyz HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n" },
  { name = "an absolute URI of another", line = "GET http://evil.example/readyz", status = 400 },
  { name = "an absolute URI with a user", line = "GET http://127.0.0.1@evil.example/readyz", status = 400 },
  { name = "a path without a slash", line = "GET readyz", status = 400 },
  { name = "a fragment", line = "GET /readyz#x", status = 400 },
  { name = "a target with markup", line = "GET /readyz?<evilmark>", status = 400 },
  { name = "two spaces before the path", line = "GET  /readyz", status = 400 },
  { name = "two spaces behind the path", line = "GET /readyz ", status = 400 },
  { name = "a version in small letters", line = "GET /readyz", version = "http/1.1", status = 400 },
  { name = "a version with more digits", line = "GET /readyz", version = "HTTP/1.10", status = 400 },
  { name = "a word behind the version", line = "GET /readyz", version = "HTTP/1.1 x", status = 400 },
  { name = "two slashes", line = "GET //evil.example/readyz", status = 400 },
  { name = "traversal", line = "GET /../../etc/passwd", status = { 400, 404 } },
  {
    name = "traversal in a provider", headers = { JSON }, body = GOOD, status = 400,
    line = "POST /api/providers/image/../gpu/public/runpod/submit",
  },
  { name = "encoded traversal", line = "GET /%2e%2e/%2e%2e/etc/passwd", status = 400 },
  { name = "half-encoded traversal", line = "GET /.%2e/etc/passwd", status = 400 },
  { name = "twice-encoded traversal", line = "GET /%252e%252e/etc/passwd", status = 404 },
  {
    name = "encoded slash", line = "POST /api/providers/image/stability%2fsubmit", headers = { JSON }, body = GOOD,
    status = 400,
  },
  { name = "encoded backslash", line = "GET /..%5c..%5cetc", status = 400 },
  { name = "a backslash", line = "GET /..\\..\\etc", status = 400 },
  { name = "%00", line = "POST /api/providers/image/stability%00/submit", headers = { JSON }, body = GOOD, status = 400 },
  { name = "%0d%0a", line = "GET /readyz%0d%0aX-Evil:evilmark", status = 400 },
  { name = "%7f", line = "GET /readyz%7f", status = 400 },
  { name = "a bare control byte", line = "GET /readyz\1evilmark", status = 400 },
  { name = "a bad escape", line = "GET /readyz%zz", status = 400 },
  { name = "half an escape", line = "GET /readyz%2", status = 400 },
  { name = "overlong UTF-8", line = "GET /%c0%ae%c0%ae/etc", status = 400 },
  { name = "Latin-1", line = "GET /caf%e9", status = 400 },
  { name = "a bare byte above ASCII", line = "GET /caf\xe9", status = 400 },
  { name = "a long path", line = "GET /" .. ("evilmark"):rep(1000), status = { 400, 414 } },
  { name = "a longer path", line = "GET /" .. ("evilmark"):rep(6000), status = { 400, 414 } },
  { name = "many slashes", line = "GET " .. ("/"):rep(8000), status = { 400, 414 } },
  {
    name = "a long provider", headers = { JSON }, body = GOOD, status = 404,
    line = "POST /api/providers/image/" .. ("a"):rep(250) .. "/submit",
  },
  { name = "a provider of markup", line = "POST /api/providers/image/%3Cscript%3E/submit", headers = { JSON }, body = GOOD,
    status = 404,
    header = { "content%-type", "json" } },
  {
    name = "a provider of another kind", line = "POST /api/providers/video/stability/submit", headers = { JSON }, body = GOOD,
    status = 404,
  },
  { name = "no provider", line = "POST /api/providers/image//submit", headers = { JSON }, body = GOOD, status = 400 },
  { name = "no verb", line = "POST /api/providers/image/stability", headers = { JSON }, body = GOOD, status = 404 },
  {
    name = "an unknown verb", line = "POST /api/providers/image/stability/evilmark", headers = { JSON }, body = GOOD,
    status = 404,
  },
  { name = "a file of the home", line = "GET /config/comfyvn.json", status = 404 },
  { name = "a password file", line = "GET /.htpasswd", status = 404 },
  { name = "a script", line = "GET /providers/image_fal.lua", status = 404 },
  { name = "a job that is no UUID", line = "GET /api/jobs/status/evilmark", status = 404 },
  { name = "a job of nobody", line = "GET /api/jobs/status/00000000-0000-7000-8000-000000000000", status = 404 },
  { name = "logs of SQL", line = "GET /api/jobs/logs/%27%20OR%201=1--", status = 404 },
  {
    name = "cancel of nobody", headers = { JSON }, body = "{}", status = 404,
    line = "POST /api/jobs/00000000-0000-7000-8000-000000000000/cancel",
  },
  { name = "cancel of no UUID", line = "POST /api/jobs/evilmark/cancel", headers = { JSON }, body = "{}", status = 404 },
}

local queries = {
  "limit=0", "limit=-1", "limit=501", "limit=evilmark", "limit=1e3", "limit=99999999999999999999", "limit=1%00", "limit=%zz",
  "limit=1%0a",
  "cursor=evilmark", "cursor=-1", "cursor=0", "cursor=9223372036854775808", "cursor=1'%20OR%201=1",
  "status=evilmark", "status=DONE%20", "status=%ff", "kind=audio", "kind=public..submit", "kind=public.image.generate",
  "since=evilmark", "since=-1", "since=2025-02-17T00:00:00%2b99:99", "since=2025-99-99", "since=99999999999999999999",
  "until=evilmark", "fields=evilmark", "dry_run=evilmark", "status=done,evilmark", "provider=fal,,evilmark", "provider=%2c",
}

local cases = {}
for _, list in ipairs { framing, heads, targets } do
  for _, case in ipairs(list) do cases[#cases + 1] = case end
end
for _, query in ipairs(queries) do
  cases[#cases + 1] = { name = "list?" .. query, line = "GET /api/jobs/list?" .. query, status = 400 }
end

local routes = {
  { "GET", "/api/providers/gpu/public/catalog" }, { "GET", "/api/providers/image/catalog" },
  { "GET", "/api/providers/video/catalog" },
  { "POST", "/api/providers/gpu/public/runpod/health" }, { "POST", "/api/providers/gpu/public/runpod/submit" },
  { "POST", "/api/providers/gpu/public/runpod/poll" }, { "POST", "/api/providers/image/stability/health" },
  { "POST", "/api/providers/image/stability/submit" }, { "POST", "/api/providers/image/stability/poll" },
  { "POST", "/api/providers/image/stability/preview" }, { "GET", "/api/providers/image/stability/inputs" },
  { "POST", "/api/providers/image/generate/preview" }, { "GET", "/api/providers/gpu/public/runpod/inputs" },
  { "POST", "/api/providers/image/generate" }, { "POST", "/api/providers/video/runway/health" },
  { "POST", "/api/providers/video/runway/submit" }, { "POST", "/api/providers/video/runway/poll" },
  { "POST", "/api/providers/video/generate" },
  { "GET", "/api/artifacts" }, { "GET", "/api/jobs/list" }, { "GET", "/api/jobs/all" },
  { "GET", "/api/jobs/status/x" }, { "GET", "/api/jobs/logs/x" },
  { "POST", "/api/jobs/x/cancel" }, { "GET", "/jobs/list" }, { "GET", "/healthz" }, { "GET", "/readyz" },
}

return { cases = cases, routes = routes, methods = { "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" } }
