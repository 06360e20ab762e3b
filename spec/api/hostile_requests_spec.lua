-- Proves what the door refuses, byte by byte: each request of spec/support/hostile_http.lua gets the status it
-- should, in the error shape, one answer and no more; nothing is registered, nothing comes back that was not understood, and the
-- next request is fine.
local cjson = require "cjson"
local hostile = require "spec.support.hostile_http"
local hosts = require "spec.support.host"

local MARK = "evilmark"

local host, registered

setup(function() host = hosts.start { config = { server = { max_body_bytes = 65536 } } } end)
teardown(function() host:remove() end)
before_each(function() registered = #host:get("/api/jobs/list?limit=500").json.tasks end)

-- The bytes of a case, or its list of pieces.
local function bytes_of(case)
  if case.raw then
    if type(case.raw) == "table" then return case.raw end
    return (case.raw:gsub("{port}", host.port))
  end
  local lines = { case.line .. " " .. (case.version or "HTTP/1.1") }
  if case.host ~= false then lines[#lines + 1] = "Host: " .. (case.host or "127.0.0.1:" .. host.port) end
  lines[#lines + 1] = "Connection: close"
  if case.body and case.length ~= false then lines[#lines + 1] = "Content-Length: " .. #case.body end
  for _, line in ipairs(case.headers or {}) do lines[#lines + 1] = line end
  return table.concat(lines, "\r\n") .. "\r\n\r\n" .. (case.body or "")
end

-- The answers in what came back: { status, headers, body }.
local function split_answers(text)
  local answers, at = {}, 1
  while at <= #text do
    local status, stop = text:match("^HTTP/1%.[01] (%d%d%d)[^\r\n]*\r\n()", at)
    assert(status, "no answer begins at " .. text:sub(at, at + 60))
    local answer = { status = tonumber(status), headers = {} }
    for name, value, after in text:gmatch("([^:\r\n]+):[ \t]*([^\r\n]*)\r\n()", stop) do
      answer.headers[name:lower()] = value
      stop = after
      if text:sub(after, after + 1) == "\r\n" then break end
    end
    local length = tonumber(answer.headers["content-length"] or 0)
    answer.body = text:sub(stop + 2, stop + 1 + length)
    at = stop + 2 + length
    if answer.status >= 200 then answers[#answers + 1] = answer end
  end
  return answers
end

local function is_expected(case, status)
  for _, possible in ipairs(type(case.status) == "table" and case.status or { case.status }) do
    if possible == status then return true end
  end
  return false
end

local function check_problem(answer)
  assert.equal("application/problem+json", answer.headers["content-type"])
  local problem = cjson.decode(answer.body)
  assert.equal(answer.status, problem.status)
  for _, name in ipairs { "type", "title", "detail" } do assert.is_string(problem[name]) end
  assert.is_truthy(utf8.len(answer.body), "the answer is not UTF-8")
  return problem
end

local function check_first(case, answer)
  assert.is_true(is_expected(case, answer.status), answer.status .. ": " .. answer.body:sub(1, 300))
  if answer.status >= 400 then
    local problem = check_problem(answer)
    if case.says then assert.matches(case.says, problem.detail) end
  end
  if case.header then assert.matches(case.header[2], answer.headers[case.header[1]:gsub("%%", "")] or "(no such header)") end
end

describe("a hostile request:", function()
  for _, case in ipairs(hostile.cases) do
    it(case.name, function()
      local text, ended = host:raw(bytes_of(case), { pause = case.pause, half_close = case.half_close, timeout = 100 })
      assert.equal("closed", ended, "the host kept the connection")
      local answers = split_answers(text)
      if #answers == 0 then
        assert.is_true(is_expected(case, "closed"), "closed without an answer")
      else
        check_first(case, answers[1])
        assert.equal(case.answers or 1, #answers, text:sub(1, 600))
      end
      if case.lacks ~= "" then assert.is_nil(text:lower():find(case.lacks or MARK, 1, true), text:sub(1, 600)) end
      assert.equal(registered + (case.registers or 0), #host:get("/api/jobs/list?limit=500").json.tasks)
    end)
  end
end)

describe("a wrong method", function()
  for _, route in ipairs(hostile.routes) do
    it("on " .. route[2] .. " is 405 with Allow", function()
      for _, method in ipairs(hostile.methods) do
        if method ~= route[1] then
          local answer = host:request(method, route[2], method ~= "GET" and method ~= "OPTIONS" and "{}" or nil)
          assert.equal(405, answer.status, method .. ": " .. answer.body:sub(1, 200))
          assert.matches(route[1], answer.headers.allow)
          check_problem(answer)
        end
      end
      assert.equal(registered, #host:get("/api/jobs/list?limit=500").json.tasks)
    end)
  end
end)

describe("the host after all of it", function()
  it("stops well", function() host:ends_well() end)
end)
