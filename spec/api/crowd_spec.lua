-- Many connections on few threads: what a crowd that asks for nothing, asks slowly or reads slowly may take from others. Each
-- part has more of them than the host has threads, and then somebody polite comes.
local hosts = require "spec.support.host"
local socket = require "socket"
local timely = require "spec.support.timely"

local THREADS = 8
local HALF = "GET /api/jobs/list HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half: "

local host, crowd

local function start(options)
  options = options or {}
  options.config = options.config or {}
  options.config.server = options.config.server or {}
  options.config.server.threads, options.config.server.max_streams = THREADS, 2
  host = hosts.start(options)
  crowd = {}
end

local function come(bytes, receive_buffer)
  local connection = assert(socket.tcp4())
  if receive_buffer then assert(connection:setoption("recv-buffer-size", receive_buffer)) end
  connection:settimeout(20)
  assert(connection:connect("127.0.0.1", host.port))
  if bytes then assert(connection:send(bytes)) end
  connection:settimeout(0)
  crowd[#crowd + 1] = connection
  return connection
end

local function leave()
  for _, connection in ipairs(crowd) do connection:close() end
  crowd = {}
end

after_each(function()
  leave()
  host:remove()
end)

-- One request on a connection of its own: its status, and how long it took.
local function ask(path, port)
  local began = socket.gettime()
  local connection = assert(socket.tcp4())
  connection:settimeout(100)
  assert(connection:connect("127.0.0.1", port or host.port))
  connection:send("GET " .. path .. " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
  local line = connection:receive("*l")
  connection:close()
  return tonumber((line or ""):match("^HTTP/1.1 (%d%d%d)")), socket.gettime() - began, line
end

-- Each connection that is idle holds its thread for 5 s, so that those behind wait for as often as the threads are taken.
local IDLE_MS = 5

local function check_probes(seconds)
  for _, path in ipairs { "/healthz", "/readyz", "/api/jobs/list" } do
    local status, took = ask(path)
    assert.equal(200, status, path)
    assert.is_true(took < seconds, path .. " took " .. took)
  end
end

describe("probes and requests are answered while", function()
  it("connections that ask for nothing are many times the threads", function()
    start()
    for _ = 1, 20 * THREADS do come() end
    check_probes(3 * IDLE_MS) -- without an early end: 20 times as long
  end)

  it("heads that are never ended are, and who sends them is told", function()
    start()
    for _ = 1, 20 * THREADS do come(HALF) end
    check_probes(3 * IDLE_MS)
    local refused = 0
    host:eventually(function()
      for _, connection in ipairs(crowd) do
        local text, _, partial = connection:receive("*a")
        if (text or partial or ""):find("^HTTP/1.1 503.*Retry%-After") then refused = refused + 1 end
      end
      return refused > 0
    end)
  end)

  it("connections are kept after a request", function()
    start()
    for _ = 1, 6 * THREADS do come("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n") end
    check_probes(3 * IDLE_MS)
  end)

  it("heads drip", function()
    start()
    for _ = 1, 6 * THREADS do come(HALF) end
    local status, took = nil, socket.gettime()
    for _ = 1, 100 do
      for _, connection in ipairs(crowd) do connection:send("x") end
      status = ask("/healthz")
      if status == 200 then break end
    end
    assert.equal(200, status)
    assert.is_true(socket.gettime() - took < 3 * IDLE_MS)
  end)
end)

describe("a client that is polite", function()
  it("keeps its connection while there are threads enough, though it pauses", function()
    start()
    local client = host:connect()
    for _ = 1, 3 do
      assert.equal(200, client:request("GET", "/healthz").status)
      socket.sleep(0.6)
    end
    client:close()
  end)
end)

describe("server.probe_listen", function()
  local port
  before_each(function()
    start { config = { server = { probe_listen = "127.0.0.1:0" } } }
    port = tonumber((host:output()):match("probes are answered on port (%d+)"))
  end)

  it("answers probes while every thread is taken by requests that are under way", function()
    for _ = 1, 3 * THREADS do
      come("POST /api/providers/image/fal/submit HTTP/1.1\r\nHost: 127.0.0.1\r\n" ..
        "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
    end
    for _ = 1, 20 do
      timely.within(2.5, function() assert.equal(200, (ask("/healthz", port))) end)
      assert.equal(200, (ask("/readyz?x=1", port)))
    end
  end)

  it("answers nothing else, and one request a connection", function()
    assert.equal(404, (ask("/api/jobs/list", port)))
    assert.equal(404, (ask("/healthz/", port)))
    local connection = assert(socket.connect("127.0.0.1", port))
    connection:settimeout(20)
    connection:send("POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    local text = connection:receive("*a")
    connection:close()
    assert.matches("^HTTP/1.1 405 ", text)
    assert.equal(1, select(2, text:gsub("HTTP/1.1 %d%d%d", "")))
    assert.equal(400, (ask("/healthz HTTP/1.1\n X: y", port)))
  end)

  it("has an end to idle, half and slow visitors", function()
    for i = 1, 200 do
      local connection = assert(socket.connect("127.0.0.1", port))
      if i % 2 == 0 then connection:send("GET /heal") end
      crowd[#crowd + 1] = connection
    end
    assert.equal(200, (ask("/healthz", port)))
    host:eventually(function()
      for _, connection in ipairs(crowd) do
        connection:settimeout(0)
        local _, problem = connection:receive(1)
        assert.equal("closed", problem)
      end
      return true
    end)
  end)
end)

describe("a slow reader", function()
  local function fill()
    local client, long = host:connect(), ("long "):rep(800)
    for _ = 1, 300 do
      client:request("POST", "/api/providers/image/stability/submit", { prompt = long, negative_prompt = long })
    end
    client:close()
  end

  -- Reads some bytes now and then from all, until somebody else is let in again.
  local function read_slowly(seconds)
    local until_when = socket.gettime() + seconds
    local status
    repeat
      for _, connection in ipairs(crowd) do connection:receive(16) end
      socket.sleep(0.1)
      status = ask("/api/jobs/list?limit=1")
    until status == 200 or socket.gettime() > until_when
    return status
  end

  it("of a list is left after its time, whatever it takes in between", function()
    start { env = { PROVIDERD_TEST_REPLY_SECONDS = "2" } }
    fill()
    for _ = 1, THREADS do come("GET /api/jobs/list?limit=500 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 2048) end
    host:eventually(function() return ask("/api/jobs/list?limit=1") == 503 end) -- they are in
    assert.equal(200, read_slowly(40))
    leave()
  end)

  it("that takes nothing at all is left sooner", function()
    start()
    fill()
    for _ = 1, THREADS do come("GET /api/jobs/list?limit=500 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 2048) end
    host:eventually(function() return ask("/api/jobs/list?limit=1") == 503 end)
    host:eventually(function() return ask("/api/jobs/list?limit=1") == 200 end)
  end)
end)
