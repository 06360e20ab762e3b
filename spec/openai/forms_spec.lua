-- Forms as OpenAI's SDKs send them, and as nobody should: one way to read a body, or none.
local form = require "spec.support.form"
local hosts = require "spec.support.host"

local PATH, TYPE = "/v1/videos", "multipart/form-data; boundary=AaB03x"
local MODEL = '--AaB03x\r\nContent-Disposition: form-data; name="model"\r\n\r\nluma/ray-2\r\n'
local PROMPT = '--AaB03x\r\nContent-Disposition: form-data; name="prompt"\r\n\r\na cat\r\n'
local LAST = "--AaB03x--\r\n"
local PNG = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR"

local function part(head, value) return "--AaB03x\r\n" .. head .. "\r\n\r\n" .. value .. "\r\n" end
local function field(name, value) return part(('Content-Disposition: form-data; name="%s"'):format(name), value) end

-- name -> { body, content type }: each is one thing wrong.
local function malformed()
  local many = {}
  for index = 1, 1000 do many[index] = field("x" .. index, "1") end
  return {
    ["no boundary"] = { MODEL .. PROMPT .. LAST, "multipart/form-data" },
    ["an empty boundary"] = { MODEL .. PROMPT .. LAST, 'multipart/form-data; boundary=""' },
    ["a boundary of 71"] = { MODEL .. PROMPT .. LAST, "multipart/form-data; boundary=" .. ("b"):rep(71) },
    ["a boundary with other characters"] = { MODEL .. PROMPT .. LAST, 'multipart/form-data; boundary="a{b}"' },
    ["two boundaries"] = { MODEL .. PROMPT .. LAST, TYPE .. "; boundary=other" },
    ["a type that cannot be read"] = { MODEL .. PROMPT .. LAST, "multipart/form-data; boundary" },
    ["another boundary"] = { MODEL .. PROMPT .. LAST, "multipart/form-data; boundary=other" },
    ["a preamble"] = { "hello\r\n" .. MODEL .. PROMPT .. LAST, TYPE },
    ["an epilogue"] = { MODEL .. PROMPT .. LAST .. "hello", TYPE },
    ["a second form behind it"] = { MODEL .. PROMPT .. LAST .. MODEL .. LAST, TYPE },
    ["no end"] = { MODEL .. PROMPT, TYPE },
    ["half an end"] = { MODEL .. PROMPT .. "--AaB03x-", TYPE },
    ["an end within a part"] = { MODEL .. '--AaB03x\r\nContent-Disposition: form-data; name="prompt"\r\n\r\na ca', TYPE },
    ["line ends without CR"] = { (MODEL .. PROMPT .. LAST):gsub("\r\n", "\n"), TYPE },
    ["something behind a boundary"] = { MODEL .. PROMPT:gsub("AaB03x", "AaB03x ") .. LAST, TYPE },
    ["a boundary that goes on"] = { MODEL .. field("prompt", "a\r\n--AaB03xy\r\nb") .. LAST, TYPE },
    ["a folded header"] = { MODEL .. part('Content-Disposition: form-data;\r\n name="prompt"', "x") .. LAST, TYPE },
    ["a header without a colon"] = { MODEL .. part('Content-Disposition form-data; name="prompt"', "x") .. LAST, TYPE },
    ["a header with a control character"] = {
      MODEL .. part('Content-Disposition: form-data; name="pro\1mpt"', "x") .. LAST, TYPE },
    ["a header with a NUL"] = { MODEL .. part('Content-Disposition: form-data; name="pro\0mpt"', "x") .. LAST, TYPE },
    ["a head without an end"] = { MODEL .. "--AaB03x\r\nContent-Disposition: form-data; name=\"prompt\"\r\n", TYPE },
    ["a giant head"] = {
      MODEL .. part('Content-Disposition: form-data; name="prompt"\r\nX-A: ' .. ("a"):rep(5000), "x") .. LAST, TYPE },
    ["no Content-Disposition"] = { MODEL .. part("Content-Type: text/plain", "x") .. LAST, TYPE },
    ["two of them"] = {
      MODEL .. part('Content-Disposition: form-data; name="a"\r\nContent-Disposition: form-data; name="b"', "x") .. LAST, TYPE },
    ["an attachment"] = { MODEL .. part('Content-Disposition: attachment; name="prompt"', "x") .. LAST, TYPE },
    ["two names"] = { MODEL .. part('Content-Disposition: form-data; name="a"; name="b"', "x") .. LAST, TYPE },
    ["no name"] = { MODEL .. part("Content-Disposition: form-data", "x") .. LAST, TYPE },
    ["an empty name"] = { MODEL .. field("", "x") .. LAST, TYPE },
    ["a giant name"] = { MODEL .. field(("n"):rep(257), "x") .. LAST, TYPE },
    ["a giant file name"] = {
      MODEL .. part('Content-Disposition: form-data; name="a"; filename="' .. ("f"):rep(1025) .. '"', "x") .. LAST, TYPE },
    ["a name with a quote in it"] = { MODEL .. field('a\\"b', "x") .. LAST, TYPE },
    ["a quote that does not end"] = { MODEL .. part('Content-Disposition: form-data; name="prompt', "x") .. LAST, TYPE },
    ["a name that is no UTF-8"] = { MODEL .. field("a\xff", "x") .. LAST, TYPE },
    ["base64"] = {
      MODEL .. part('Content-Disposition: form-data; name="prompt"\r\nContent-Transfer-Encoding: base64', "eA==") .. LAST, TYPE },
    ["1,000 parts"] = { MODEL .. table.concat(many) .. LAST, TYPE },
    ["129 parts"] = { MODEL .. table.concat(many, "", 1, 128) .. LAST, TYPE },
    ["a value that is no UTF-8"] = { MODEL .. field("prompt", "a\xff") .. LAST, TYPE },
    ["a value with a NUL"] = { MODEL .. field("prompt", "a\0b") .. LAST, TYPE },
    ["a field twice"] = { MODEL .. PROMPT .. PROMPT .. LAST, TYPE },
    ["a switch twice"] = { MODEL .. PROMPT .. field("dry_run", "true") .. field("dry_run", "false") .. LAST, TYPE },
    ["a field that is an object too"] = { MODEL .. PROMPT .. field("a", "1") .. field("a[b]", "2") .. LAST, TYPE },
    ["an object that is a field too"] = { MODEL .. PROMPT .. field("a[b]", "1") .. field("a", "2") .. LAST, TYPE },
    ["an object that is a list too"] = { MODEL .. PROMPT .. field("a[b]", "1") .. field("a[]", "2") .. LAST, TYPE },
    ["a bracket that does not end"] = { MODEL .. PROMPT .. field("a[b", "1") .. LAST, TYPE },
    ["a bracket that begins"] = { MODEL .. PROMPT .. field("[a]", "1") .. LAST, TYPE },
    ["a name that is deep"] = { MODEL .. PROMPT .. field("a[b][c][d][e]", "1") .. LAST, TYPE },
    ["parameters that are no object"] = { MODEL .. PROMPT .. field("parameters", "[1]") .. LAST, TYPE },
    ["an empty body"] = { "", TYPE },
  }
end

local function post(host, body, content_type, headers)
  local all = { ["Content-Type"] = content_type or TYPE }
  for name, value in pairs(headers or {}) do all[name] = value end
  return host:request("POST", PATH, body, all)
end

local function is_refused(answer)
  assert.equal(400, answer.status, answer.body)
  assert.equal("invalid_request_error", answer.json.error.type)
end

local function sent(answer)
  assert.equal(200, answer.status, answer.body)
  return answer.json.providerd.upstream.body
end

describe("a form", function()
  local host

  setup(function() host = hosts.start { config = { server = { threads = 16 } } } end)
  teardown(function() host:remove() end)

  it("is what the SDKs make of it: numbers and booleans as texts, objects in brackets", function()
    local body = sent(post(host, MODEL .. PROMPT .. field("seconds", "5") .. field("size", "1280x720") .. field("seed", "7")
      .. field("parameters[loop]", "true") .. field("dry_run", "true") .. field("max_cost_usd", "1.5") .. LAST))
    assert.same({
      model = "ray-2", prompt = "a cat", duration = "5s", resolution = "720p", aspect_ratio = "16:9", loop = true }, body)
  end)

  it("may have other types beside its boundary, and quotes around it", function()
    local text = (MODEL .. PROMPT .. LAST):gsub("AaB03x", "a b:c")
    assert.equal("a cat", sent(post(host, text, 'multipart/form-data; charset=utf-8; boundary="a b:c"')).prompt)
    assert.equal("a cat", sent(post(host, MODEL .. PROMPT .. "--AaB03x--", "Multipart/Form-Data;boundary=AaB03x")).prompt)
  end)

  it("keeps what looks like a boundary and is none", function()
    local prompt = "x--AaB03x\r\n-AaB03x--\n--AaB03x--"
    assert.equal(prompt, sent(post(host, MODEL .. field("prompt", prompt) .. LAST)).prompt)
  end)

  it("may come in chunks, as a read stream does", function()
    local body = MODEL .. PROMPT .. LAST
    local chunked = ("%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n"):format(20, body:sub(1, 20), #body - 20, body:sub(21))
    local answer = host:raw(("POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n"
      .. "Connection: close\r\n\r\n%s"):format(PATH, host.port, TYPE, chunked))
    assert.truthy(tostring(answer.status or answer):find("200", 1, true))
  end)

  it("has files that are what their bytes say, whatever is said of them", function()
    local types = { ["image/png"] = PNG, ["image/jpeg"] = "\xff\xd8\xff\xe0abc", ["image/gif"] = "GIF89aabc",
      ["image/webp"] = "RIFF\0\0\0\0WEBPVP8 abc" }
    for type_of, bytes in pairs(types) do
      local answer = form.post(host, PATH, { { name = "model", value = "runway/gen4.5" }, { name = "prompt", value = "it moves" },
        { name = "input_reference", data = bytes, filename = "blob", content_type = "application/octet-stream" } })
      local image = answer.status == 200 and answer.json.providerd.upstream.body.promptImage or answer.json.error.message
      assert.truthy(image:find("data:" .. type_of .. ";base64,", 1, true) or image:find("input_reference", 1, true), image)
      if type_of ~= "image/gif" then assert.equal(200, answer.status, answer.body) end
    end
  end)

  it("has no files of other kinds, whatever they are called", function()
    for _, bytes in ipairs { "hello", "<svg xmlns='http://www.w3.org/2000/svg'/>", "", "%PDF-1.4", "\0\0\0\0" } do
      local answer = form.post(host, PATH, { { name = "model", value = "runway/gen4.5" }, { name = "prompt", value = "it moves" },
        { name = "input_reference", data = bytes, filename = "a.png", content_type = "image/png" } })
      assert.equal(400, answer.status, answer.body)
      assert.same({ "unsupported_file_mimetype", "input_reference" }, { answer.json.error.code, answer.json.error.param })
    end
  end)

  for name, case in pairs(malformed()) do
    it("is refused that has " .. name, function()
      is_refused(post(host, case[1], case[2]))
      assert.equal(200, host:get("/healthz").status)
    end)
  end

  it("is refused at every place where it is cut", function()
    local whole = MODEL .. PROMPT .. "--AaB03x--"
    local connection = host:connect()
    for length = 1, #whole - 1 do
      connection:send("POST", PATH, whole:sub(1, length), { ["Content-Type"] = TYPE })
      is_refused(connection:receive())
      if length % 50 == 0 then connection:close() connection = host:connect() end
    end
    connection:close()
  end)

  it("is never half understood, whatever byte of it is another", function()
    local whole = MODEL .. PROMPT .. "--AaB03x--"
    math.randomseed(11)
    local connection = host:connect()
    for round = 1, 600 do
      local at, byte = math.random(#whole), string.char(math.random(0, 255))
      connection:send("POST", PATH, whole:sub(1, at - 1) .. byte .. whole:sub(at + 1), { ["Content-Type"] = TYPE })
      local answer = connection:receive()
      assert.is_true(answer.status == 200 or answer.status == 400 or answer.status == 404, answer.body)
      if round % 50 == 0 then connection:close() connection = host:connect() end
    end
    connection:close()
    assert.equal(200, host:get("/healthz").status)
  end)

  it("of another type than these two is 415", function()
    local answer = post(host, "model=luma/ray-2&prompt=x", "application/x-www-form-urlencoded")
    assert.equal(415, answer.status)
    assert.equal("unsupported_media_type", answer.json.error.code)
    assert.equal(415, post(host, MODEL .. LAST, "multipart/mixed; boundary=AaB03x").status)
    assert.equal(415, host:request("POST", "/api/providers/video/luma/submit", MODEL .. LAST, { ["Content-Type"] = TYPE }).status)
  end)
end)
