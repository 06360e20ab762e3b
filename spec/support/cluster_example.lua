-- The example of packaging/cluster, run as it is written: its files with other addresses, paths and ports in them, nothing
-- else changed. nginx and PostgreSQL are started in a folder of their own, the hosts by spec/support/host.lua.
local exact = require "spec.support.exact_json"
local hosts = require "spec.support.host"
local postgres = require "spec.support.postgres"
local shell = require "spec.support.shell"
local socket = require "socket"

local Example = {}
Example.__index = Example

local FOLDER = "packaging/cluster/"
local KEY = "the operator's key"

local MAIN = [[
pid FOLDER/nginx.pid;
error_log FOLDER/error.log;
worker_processes 1;
daemon on;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path FOLDER/tmp; proxy_temp_path FOLDER/tmp; fastcgi_temp_path FOLDER/tmp;
  uwsgi_temp_path FOLDER/tmp; scgi_temp_path FOLDER/tmp;
  include FOLDER/providerd.conf;
}
]]

local function free_port()
  local server = assert(socket.bind("127.0.0.1", 0))
  local _, port = server:getsockname()
  server:close()
  return port
end

local function plain(text)
  return (text:gsub("%p", "%%%0"))
end

-- A file of the example with other words in it. Each must be there: else the example was changed, and this is no test of it.
local function adapted(name, words)
  local text = assert(shell.read(FOLDER .. name), name)
  for from, to in pairs(words) do
    local count
    text, count = text:gsub(plain(from), function() return to end)
    assert(count > 0, ("%s has no %q"):format(name, from))
  end
  return text
end

local function write(path, text, mode)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  file:close()
  if mode then shell.run(("chmod %s %s"):format(mode, path)) end
end

-- One authority, a certificate for the database's name and one for the proxy's.
local function make_certificates(folder)
  shell.output(([[(cd %s && key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes' &&
    openssl req -x509 $key -days 2 -subj /CN=spec -keyout root.key -out root.crt &&
    for name in localhost studio.example; do
      openssl req $key -subj /CN=$name -addext subjectAltName=DNS:$name -keyout $name.key -out $name.csr &&
      openssl x509 -req -in $name.csr -CA root.crt -CAkey root.key -CAcreateserial -days 2 -copy_extensions copy -out $name.crt
    done; chmod 755 .; chmod 644 *.crt)]]):format(folder))
end

-- Before commands of the server's machine: Debian's administrator is the user postgres there.
local function prefix()
  local root = shell.output("id -u"):match("%d+") == "0"
  return root and "setpriv --reuid=postgres --regid=postgres --clear-groups " or ""
end

local function as_postgres(command)
  return shell.output(prefix() .. command)
end

local function settings_of(text)
  local settings = {}
  for line in text:gmatch("[^\n]+") do
    local name, value = line:match("^([%w_]+)%s*=%s*('[^']*')")
    if not name then name, value = line:match("^([%w_]+)%s*=%s*(%S+)") end
    if name then settings[name] = value end
  end
  return settings
end

function Example:start_server()
  self.database_port = free_port()
  local tls = self.folder .. "/tls"
  shell.run(([[cd %s && mkdir tls wal && cp localhost.crt localhost.key tls/ && chmod 600 tls/localhost.key
    if [ "$(id -u)" = 0 ]; then chown -R postgres tls wal; fi]]):format(self.folder))
  local settings = settings_of(adapted("postgresql.conf", {
    ["10.0.0.10"] = "127.0.0.1", ["/etc/postgresql/tls/server"] = tls .. "/localhost",
    ["/var/backups/postgresql/wal"] = self.folder .. "/wal",
  }))
  settings.port = tostring(self.database_port)
  self.cluster = postgres.cluster { fsync = true, settings = settings }
  local hba = adapted("pg_hba.conf", { ["10.0.0.0/24"] = "127.0.0.1/32" })
  write(self.folder .. "/pg_hba.conf", hba, "644")
  as_postgres(("cp %s/pg_hba.conf %s/data/pg_hba.conf"):format(self.folder, self.cluster.folder))
  self.cluster:control "reload"
  self.password = "a password: with 'quotes', and a colon"
  local roles = FOLDER .. "roles.sql"
  self:administer(("-v password=%s -f -"):format(shell.quote(self.password)), roles)
end

--- Starts a server that was stopped, in so many seconds.
function Example:start_later(seconds)
  local command = "cd / && sleep %d; %s$(ls /usr/lib/postgresql/*/bin/pg_ctl | tail -n 1) -s -w -D %s/data -l %s/log start"
  command = command:format(seconds, prefix(), self.cluster.folder, self.cluster.folder)
  os.execute("(" .. command .. ") </dev/null >/dev/null 2>&1 &")
end

--- A command of the database's administrator, on the server's machine.
function Example:command(command)
  return as_postgres(("env -i PATH=$PATH PGHOST=%s PGPORT=%d sh -c %s"):format(self.cluster.folder, self.database_port,
    shell.quote(command)))
end

--- psql as the database's administrator, on the server's machine. `input`: a file.
function Example:administer(words, input)
  return as_postgres(("env -i PATH=$PATH psql -X -q -A -t -v ON_ERROR_STOP=1 -h %s -p %d %s <%s"):format(
    self.cluster.folder, self.database_port, words, input or "/dev/null"))
end

--- registry.url of the example, with some of its words replaced further: { ["sslmode=verify-full"] = "..." }.
function Example:url(words)
  local url = exact.decode(adapted("comfyvn.json", {})).registry.url
  local all = { ["db.example:5432"] = "localhost:" .. self.database_port,
    ["/etc/providerd/root.crt"] = self.folder .. "/root.crt", ["/etc/providerd/pgpass"] = self.folder .. "/pgpass" }
  for from, to in pairs(all) do url = url:gsub(plain(from), function() return to end) end
  for from, to in pairs(words or {}) do
    local count
    url, count = url:gsub(plain(from), function() return to end)
    assert(count > 0, from)
  end
  return url
end

function Example:write_password(password)
  local line = adapted("pgpass.example", { ["db.example:5432"] = "localhost:" .. self.database_port,
    ["REPLACE-BY-THE-PASSWORD"] = password:gsub("[\\:]", "\\%0") })
  write(self.folder .. "/pgpass", line, "600")
end

--- The example's configuration, as both hosts have it.
function Example:config()
  local config = exact.decode(adapted("comfyvn.json", {}))
  config.registry.url = self:url()
  config.artifacts.dir = self.folder .. "/artifacts"
  config.server.api_keys[1].sha256 = shell.output(("printf %%s %s | sha256sum"):format(shell.quote(KEY))):match("^%x+")
  return config
end

local function start_nginx(self)
  self.tls_port = free_port()
  local words = { ["/etc/nginx/providerd-hosts.conf"] = self.folder .. "/providerd-hosts.conf",
    ["listen 80;"] = ("listen 127.0.0.1:%d;"):format(free_port()),
    ["listen 443 ssl"] = ("listen 127.0.0.1:%d ssl"):format(self.tls_port),
    ["/etc/ssl/studio.example/fullchain.pem"] = self.folder .. "/studio.example.crt",
    ["/etc/ssl/studio.example/privkey.pem"] = self.folder .. "/studio.example.key" }
  write(self.folder .. "/providerd.conf", adapted("nginx.conf", words))
  write(self.folder .. "/main.conf", (MAIN:gsub("FOLDER", self.folder)))
  shell.run("mkdir -p " .. self.folder .. "/tmp")
  self:list_hosts()
  shell.output(("nginx -p %s -c %s/main.conf -e %s/error.log"):format(self.folder, self.folder, self.folder))
end

function Example:list_hosts()
  local words = {}
  for i, host in ipairs(self.hosts) do words["10.0.0.1" .. i .. ":8001"] = "127.0.0.1:" .. host.port end
  write(self.folder .. "/providerd-hosts.conf", adapted("providerd-hosts.conf", words))
end

--- Runs providerd-ready once: what it said.
function Example:look()
  local addresses = {}
  for i, host in ipairs(self.hosts) do addresses[i] = "127.0.0.1:" .. host.port end
  local reload = ("nginx -p %s -c %s/main.conf -e %s/error.log -s reload"):format(self.folder, self.folder, self.folder)
  return shell.output(("HOSTS=%s LIST=%s OUT=%s RELOAD=%s sh packaging/cluster/providerd-ready once"):format(
    shell.quote(table.concat(addresses, " ")), self.folder .. "/providerd-hosts.conf", self.folder .. "/providerd-out",
    shell.quote(reload)))
end

--- A request to the one name, through nginx: { status, body, json, head }.
function Example:ask(method, path, body, options)
  options = options or {}
  local words = { "curl -sS -i --max-time 30 --noproxy '*' --http1.1 --cacert", self.folder .. "/root.crt", "--resolve",
    ("studio.example:%d:127.0.0.1"):format(self.tls_port), "-X", method, "-H", shell.quote("Authorization: Bearer " .. KEY) }
  for name, value in pairs(options.headers or {}) do words[#words + 1] = "-H " .. shell.quote(name .. ": " .. value) end
  if body then words[#words + 1] = "-H 'Content-Type: application/json' -d " .. shell.quote(exact.encode(body)) end
  words[#words + 1] = shell.quote(("https://studio.example:%d%s"):format(self.tls_port, path))
  local text = shell.output(table.concat(words, " "))
  local head, rest = text:match("^(.-)\r?\n\r?\n(.*)$")
  local ok, json = pcall(exact.decode, rest or "")
  return { status = tonumber((head or ""):match("^HTTP/%S+ (%d+)")), head = head or text, body = rest, json = ok and json or nil }
end

function Example:start_hosts(count)
  for _ = 1, count do
    local config = self:config()
    config.server.threads = 16
    self.hosts[#self.hosts + 1] = hosts.start { config = config }
  end
end

local module = { key = KEY }

--- nil, or why the example cannot be run here.
function module.missing()
  for _, program in ipairs { "nginx", "openssl" } do
    if not os.execute(("command -v %s >/dev/null 2>&1"):format(program)) then return ("no %s is installed"):format(program) end
  end
  return postgres.missing()
end

--- PostgreSQL, as the example configures it. server:remove().
function module.server()
  local folder = shell.output("mktemp -d /tmp/providerd-example.XXXXXX"):match("%S+")
  local self = setmetatable({ folder = folder, hosts = {} }, Example)
  make_certificates(folder)
  self:start_server()
  self:write_password(self.password)
  return self
end

--- The whole of it, with two hosts behind nginx.
function module.start()
  local self = module.server()
  self:start_hosts(2)
  start_nginx(self)
  return self
end

function Example:remove()
  local pid = (shell.read(self.folder .. "/nginx.pid") or ""):match("%d+")
  if pid then os.execute("kill -QUIT " .. pid) end
  for _, host in ipairs(self.hosts) do pcall(host.remove, host) end
  self.cluster:remove()
  shell.run("rm -rf " .. self.folder)
end

return module
