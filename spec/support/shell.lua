-- Files and commands of the machine, for specs and benches.
local shell = {}

--- A word for the shell.
function shell.quote(text)
  return "'" .. tostring(text):gsub("'", "'\\''") .. "'"
end

--- A file's bytes, or nil.
function shell.read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read("a")
  file:close()
  return text
end

--- Runs a command that must succeed.
function shell.run(command)
  assert(os.execute(command), "failed: " .. command)
end

--- What a command prints, on either output. An error when it fails.
function shell.output(command)
  local pipe = assert(io.popen(command .. " 2>&1", "r"))
  local output = pipe:read("a")
  if not pipe:close() then error(command .. "\n" .. output, 0) end
  return output
end

--- Of a host that runs on SQLite: has what it answered so far brought from the ring into the database, where others see it. Lists
--- wait for that; where a key is needed, it has a moment.
function shell.settle(host)
  if host.database or host.ended or not host.port then return end
  local socket = require "socket"
  local client = assert(socket.tcp4())
  client:settimeout(3)
  client:connect("127.0.0.1", host.port)
  client:send("GET /api/jobs/list?limit=1 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
  local line = client:receive "*l"
  client:close()
  if not line or not line:find(" 200 ", 1, true) then socket.sleep(0.1) end
end

--- What a host's registry answers, in the words of SQLite's shell: rows as lines, columns between |.
function shell.sql(host, statement)
  if host.database then return host.database:sql(statement) end
  shell.settle(host)
  local command = "sqlite3 -cmd '.timeout 5000' %s %s"
  return shell.output(command:format(shell.quote(host.home .. "/data/registry.db"), shell.quote(statement)))
end

--- What all hosts of a registry share under this name, or nil: a key as its bytes.
function shell.setting(host, name)
  local text = shell.sql(host, ("SELECT value FROM setting WHERE name = '%s'"):format(name)):gsub("\n$", "")
  if text == "" then return nil end
  if not name:find("%.key$") then return text end
  return (text:gsub("..", function(digits) return string.char(tonumber(digits, 16)) end))
end

return shell
