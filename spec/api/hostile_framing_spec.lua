-- Proves that no byte of a request's head can be one thing to somebody in front of the host and another to the host: each
-- position of some heads gets each byte that readers differ about, put in or in the place of what was there. What is no head by
-- RFC 9112 any more is answered 400, once, and the connection ends; what still is one is answered once.
local hosts = require "spec.support.host"

local SMUGGLED = "GET /api/jobs/all HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
local BYTES = { CR = "\r", LF = "\n", NUL = "\0", SP = " ", HTAB = "\t" }

local HEADS = {
  { name = "a question", head = "GET /readyz?a=b HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: b\r\nConnection: close\r\n\r\n" },
  { name = "a length", body = SMUGGLED,
    head = "GET /healthz HTTP/1.1\r\nContent-Length: " .. #SMUGGLED .. "\r\nHost: 127.0.0.1\r\n\r\n" },
  { name = "chunks", body = "2\r\n{}\r\n0\r\n\r\n",
    head = "POST /none HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n" },
}

local TOKEN = "[%w!#$%%&'*+%-.^_`|~]+"

-- Written apart from the host's own grammar. Tabs are refused anywhere: a stricter reader than RFC 9112.
local function is_head(text)
  if text:sub(-4) ~= "\r\n\r\n" or text:find("\r\n\r\n", 1, true) ~= #text - 3 then return false end
  local lines = {}
  for line in text:sub(1, -3):gmatch("(.-)\r\n") do lines[#lines + 1] = line end
  if not lines[1]:match("^" .. TOKEN .. " /[%w%-._~:/?%[%]@!$&'()*+,;=%%{|}^`\"]* HTTP/1%.[01]$") then return false end
  for i = 2, #lines do
    if not lines[i]:match("^" .. TOKEN .. ":[\x20-\x7e\x80-\xff]*$") then return false end
  end
  return true
end

local host

setup(function() host = hosts.start() end)
teardown(function() host:remove() end)

local function statuses(text)
  local found = {}
  for status in text:gmatch("HTTP/1%.[01] (%d%d%d) ") do found[#found + 1] = tonumber(status) end
  return found
end

local function send(bytes)
  local text, ended = host:raw(bytes, { half_close = true, timeout = 60 })
  return statuses(text), ended, text
end

local function told(bytes) return ("%q"):format(bytes):gsub("\\\n", "\\n") end

-- A head that is none any more: one refusal, and nothing after it.
local function check_refused(bytes, before)
  local found, ended, text = send(bytes)
  local what = told(bytes) .. " -> " .. text:sub(1, 300)
  assert.equal("closed", ended, what)
  assert.equal(before + 1, #found, what)
  assert.equal(400, found[#found], what)
  assert.is_truthy(text:find('"status":400', 1, true), what)
end

local function check_one(head, body, prefix)
  prefix = prefix or ""
  local before = prefix == "" and 0 or 1
  if not is_head(head) then return check_refused(prefix .. head .. body, before) end
  local found, _, text = send(prefix .. head .. body)
  -- A field whose name or value was broken is another one, to everybody; then the body may be another request.
  local low = head:lower()
  local whole = low:find("\r\ncontent%-length: *" .. #body .. " *\r\n") or low:find("\r\ntransfer%-encoding: *chunked *\r\n")
  if body == "" or whole then assert.equal(before + 1, #found, told(head) .. " -> " .. text:sub(1, 300)) end
end

-- Each head with the byte at each position.
local function sweep(head, byte, check)
  for at = 1, #head + 1 do
    check(head:sub(1, at - 1) .. byte .. head:sub(at))
    if at <= #head and head:sub(at, at) ~= byte then check(head:sub(1, at - 1) .. byte .. head:sub(at + 1)) end
  end
end

describe("a head with a byte too many or another one:", function()
  for _, case in ipairs(HEADS) do
    for name, byte in pairs(BYTES) do
      it(case.name .. ", " .. name, function()
        assert.is_true(is_head(case.head))
        sweep(case.head, byte, function(head)
          -- Behind the head it is the body's first byte.
          if head:sub(1, #case.head) ~= case.head then check_one(head, case.body or "") end
        end)
      end)
    end
  end

  it("is refused behind a good one too", function()
    local good = "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    for _, byte in pairs(BYTES) do
      sweep(HEADS[1].head, byte, function(head)
        if head:sub(1, #HEADS[1].head) ~= HEADS[1].head and head:sub(1, 2) ~= "\r\n" then check_one(head, "", good) end
      end)
    end
  end)

  it("is refused when it comes byte by byte", function()
    for _, head in ipairs {
      "GET /healthz HTTP/1.1\r\n Content-Length: 33\r\nHost: 127.0.0.1\r\n\r\n",
      "GET /healthz HTTP/1.1\n Host: 127.0.0.1\r\n\r\n",
      "GET /healthz HTTP/1.1\r\rHost: 127.0.0.1\r\n\r\n", "\r\n\r\nGET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    } do
      local pieces = {}
      for byte in head:gmatch(".") do pieces[#pieces + 1] = byte end
      local text, ended = host:raw(pieces, { pause = 0.002, half_close = true })
      assert.equal("closed", ended)
      assert.same({ 400 }, statuses(text), told(head))
    end
  end)
end)

describe("white space before the first field", function()
  local blanks = { ["a blank"] = " ", ["two blanks"] = "  ", ["a CR"] = "\r", ["a CR and a blank"] = "\r ", ["a tab"] = "\t" }
  for name, blank in pairs(blanks) do
    for _, field in ipairs { "Content-Length: " .. #SMUGGLED, "Transfer-Encoding: chunked", "Host: 127.0.0.1" } do
      it("is refused: " .. name .. " before " .. field:match("^[^:]*"), function()
        for _, stop in ipairs { "\r\n", "\n" } do
          check_refused("GET /healthz HTTP/1.1" .. stop .. blank .. field .. "\r\nHost: 127.0.0.1\r\n\r\n" .. SMUGGLED, 0)
        end
      end)
    end
  end

  it("and one empty line before a request is let through", function()
    local found = send("\r\n" .. HEADS[1].head)
    assert.same({ 200 }, found)
  end)
end)

describe("a head in good form", function()
  it("is answered, however it is cut", function()
    local head = "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: " .. ("v"):rep(300) .. "\r\n\r\n"
    for _, size in ipairs { 1, 2, 7, 50 } do
      local pieces = {}
      for at = 1, 2 * #head, size do pieces[#pieces + 1] = (head .. head):sub(at, at + size - 1) end
      local text = host:raw(pieces, { pause = 0.0005, half_close = true })
      assert.same({ 200, 200 }, statuses(text), "in pieces of " .. size)
    end
  end)
end)

describe("the host after all of it", function()
  it("has done nothing of it", function() assert.equal(0, #host:get("/api/jobs/list").json.tasks) end)
  it("stops well", function() host:ends_well() end)
end)
